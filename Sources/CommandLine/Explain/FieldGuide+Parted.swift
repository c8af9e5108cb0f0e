internal import Fleet

/// Workloads whose engines name their parts.
extension FieldGuide {
    static let servingDeployment =
        [
            Entry("spec.cell", "string", "Cell that it lives in; chosen once when absent."),
            Entry("spec.pool", "string", "Any pool that admits serving when absent."),
            Entry(
                "spec.model", "string, required", "Name of the served model; one of the catalogue, or shape."),
            Entry("spec.shape", "object", "Dimensions of a model that the catalogue does not have."),
            Entry("spec.shape.layers", "integer, required", "Blocks."),
            Entry("spec.shape.hidden", "integer, required", "Width; a multiple of heads."),
            Entry("spec.shape.heads", "integer, required", "Heads of attention."),
            Entry("spec.shape.kvHeads", "integer", "Heads of keys and values; as many as heads when absent."),
            Entry("spec.shape.feedForward", "integer, required", "Width between the halves of a block."),
            Entry("spec.shape.vocabulary", "integer, required", "Tokens that there are."),
            Entry("spec.levels", "object", "When a request is in time."),
            Entry("spec.levels.ttftMilliseconds", "integer, required", "Until the first token."),
            Entry("spec.levels.tpotMilliseconds", "integer, required", "Per token after the first."),
            Entry("spec.levels.e2eMilliseconds", "integer, required", "Until the last token."),
            Entry("spec.levels.targetPerMille", "integer", "Requests to be in time; 900 when absent."),
            Entry("spec.demand", "object", "What is expected; a request per second when absent."),
            Entry("spec.demand.requestsPerMinute", "integer, required", "Mean."),
            Entry("spec.demand.promptTokens", "integer, required", "Mean."),
            Entry("spec.demand.outputTokens", "integer, required", "Mean."),
            Entry("spec.budgetCentsPerHour", "integer", "What its hosts may cost; no limit when absent."),
            Entry(
                "spec.kvBits", "integer", "4, 8 or 16, of keys and values between replicas; 16 when absent."),
            Entry("spec.maxStages", "integer, 1 to 8", "Stages of a replica's pipeline; 4 when absent."),
            Entry(
                "spec.phases", "list of strings",
                "\(choices(ServingRoutes.Role.self)) that replicas may have; all when absent."),
            Entry(
                "spec.drainSeconds", "integer, 0 to 86400",
                "What requests get when their replica stops; \(ServingLimit.usualDrainSeconds) when absent."),
            Entry(
                "spec.resourcesPerDevice", "object",
                "What a device gets of its host; on hosts without devices so much stands for one."),
            Entry("spec.resourcesPerDevice.milliCPU", "integer, required", "Thousandths of a vCPU."),
            Entry("spec.resourcesPerDevice.memoryMiB", "integer, required", "Mebibytes of memory."),
            Entry(
                "spec.port", "integer, 1024 to 65000",
                "First that replicas listen on; \(ServingLimit.port) when absent."),
        ]
        + program("What every part runs; words such as {port} are filled in for each.", isRequired: false)

    static let training: [Entry] = {
        let path = "spec.training"
        return [
            Entry(path, "object", "How training jobs are scheduled here."),
            Entry(
                "\(path).policy", "string", "\(choices(TrainingRules.Policy.self)); rubick when absent."),
            Entry(
                "\(path).gatePerMille", "integer, 0 to 999",
                "Share of a job's time that changes of shape must leave for work; 970 when absent."),
            Entry(
                "\(path).restartSeconds", "integer, 0 to 86400",
                "From a change of shape to the next step; 78 when absent."),
            Entry(
                "\(path).agingSeconds", "integer",
                "After which a waiting job comes before all that came later; 6 hours when absent."),
        ]
    }()

    static let trainingJob =
        [
            Entry("spec.cell", "string", "Cell that it lives in; chosen once when absent."),
            Entry("spec.pool", "string", "Any pool that admits training when absent."),
            Entry(
                "spec.model", "string",
                "Published model: \(TrainingModel.allCases.map(\.rawValue).joined(separator: ", ")); "
                    + "or give a profile."),
            Entry(
                "spec.profile", "list", "Measured ways to run it, instead of model; it runs as one of them."),
            Entry("spec.profile.placement", "list, required", "Devices on each host."),
            Entry(
                "spec.profile.plan", "string, required",
                "Such as ga, zero-dp or 142 (pipeline, tensor, data)."),
            Entry("spec.profile.secondsPerStep", "number, required", "As measured."),
            Entry(
                "spec.profile.cpusPerDevice", "integer, 1 to 256",
                "CPUs of the host per device; 1 when absent."),
            Entry(
                "spec.globalBatch", "integer", "Sequences of a step; never changes. The model's when absent."),
            Entry(
                "spec.steps", "integer, 1 to \(TrainingLimit.steps), required",
                "Steps of the global batch in all."),
            Entry(
                "spec.devices", "integer, 1 to \(TrainingLimit.devices), required",
                "Devices submitted with, which the speed is guaranteed by."),
            Entry("spec.hosts", "integer", "Hosts that they lie on; as few as can be when absent."),
            Entry("spec.plan", "string", "Plan submitted with; the fastest when absent."),
            Entry("spec.deviceModel", "string", "Of the devices; without it a CPU in place of each."),
            Entry("spec.memoryMiBPerDevice", "integer", "MiB of the host per device; what the plan needs."),
            Entry(
                "spec.class", "string",
                "\(TrainingClass.allCases.map(\.rawValue).joined(separator: ", ")); best-effort when absent."),
            Entry(
                "spec.processes", "string",
                "A part \(TrainingJobSpec.Processes.allCases.map(\.rawValue).joined(separator: " or ")); "
                    + "per-device when absent."),
            Entry("spec.checkpoint", "object", "How it puts its state on disk before it ends."),
            Entry(
                "spec.checkpoint.directory", "string", "On storage that all hosts see; BASALT_CHECKPOINT_DIR."
            ),
            Entry(
                "spec.checkpoint.signal", "string",
                "\(StopSignal.allCases.map(\.rawValue).joined(separator: ", ")); TERM when absent."),
            Entry(
                "spec.checkpoint.graceSeconds", "integer, 1 to \(TrainingLimit.graceSeconds)",
                "Seconds that it may take; \(CheckpointSpec.grace) when absent."),
            Entry(
                "spec.checkpoint.command", "list of strings",
                "Runs beside every part before its signal, in its environment with BASALT_PID."),
            Entry(
                "spec.checkpoint.commandSeconds", "integer, 1 to \(TrainingLimit.graceSeconds)",
                "Seconds that the command may take; \(CheckpointSpec.grace) when absent."),
            Entry("spec.onPartition", "string", "When its host is cut off: keep, stop; stop when absent."),
            Entry(
                "spec.maxFailures", "integer, 0 to \(TrainingLimit.failures)",
                "Ends by themselves before it has failed; \(TrainingLimit.usualFailures) when absent."),
        ] + program("What every part runs; the engine adds to its environment.", isRequired: true)

    static func program(_ what: String, isRequired: Bool) -> [Entry] {
        [
            Entry("spec.run", isRequired ? "object, required" : "object", what),
            Entry(
                "spec.run.command", "list of strings, required",
                "The program and its arguments; looked up in PATH, relative to the image."),
            Entry("spec.run.env", "map of strings", "Variables of its environment."),
            Entry("spec.run.workingDirectory", "string", "Relative to the image, or absolute."),
            Entry("spec.image", "object", "Files that it needs on its host."),
            Entry("spec.image.source", "string, required", "A directory or a tarball on the host."),
            Entry("spec.image.sha256", "string", "Of the tarball, 64 hex digits; required for one."),
        ]
    }
}
