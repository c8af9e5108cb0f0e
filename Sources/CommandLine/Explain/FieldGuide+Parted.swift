internal import Fleet

/// Workloads whose engines name their parts.
extension FieldGuide {
    static let servingDeployment =
        [
            Entry("spec.cell", "string, required", "Cell that it lives in."),
            Entry("spec.pool", "string", "Any pool that admits serving when absent."),
            Entry("spec.model", "string, required", "Name of the served model."),
        ] + program(isRequired: false)

    static let trainingJob =
        [
            Entry("spec.cell", "string, required", "Cell that it lives in."),
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
            Entry("spec.onPartition", "string", "When its host is cut off: keep, stop; stop when absent."),
            Entry(
                "spec.maxFailures", "integer, 0 to \(TrainingLimit.failures)",
                "Ends by themselves before it has failed; \(TrainingLimit.usualFailures) when absent."),
        ] + program(isRequired: true)

    private static func program(isRequired: Bool) -> [Entry] {
        [
            Entry(
                "spec.run", isRequired ? "object, required" : "object",
                "What every part runs; the engine adds to its environment."),
            Entry("spec.run.command", "list, required", "Program and arguments."),
            Entry("spec.run.env", "map of strings", "Variables of the environment."),
            Entry("spec.run.workingDirectory", "string", "Relative to the image, or absolute."),
            Entry("spec.image", "object", "Files that every part needs on its host."),
            Entry("spec.image.source", "string, required", "A directory or a tarball on the host."),
            Entry("spec.image.sha256", "string", "Of the tarball; required for one."),
        ]
    }
}
