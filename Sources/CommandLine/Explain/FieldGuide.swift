internal import Fleet

/// The fields that users write in documents; a test compares it with the specs.
enum FieldGuide {
    struct Entry: Sendable, Equatable {
        /// From the document's root, such as `spec.resources.milliCPU`.
        var path: String
        var type: String
        var help: String

        init(_ path: String, _ type: String, _ help: String) {
            self.path = path
            self.type = type
            self.help = help
        }
    }

    static func about(_ kind: Kind) -> String {
        switch kind {
        case .cell: "A set of hosts scheduled as one unit."
        case .pool: "Hosts of a cell with the same use; policies attach here."
        case .host: "A machine. Agents make hosts; operators cordon and drain them."
        case .flavor: "Named amounts that VMs refer to."
        case .policy: "What one engine goes by in the pools that name it; every version is kept."
        case .model: "A model of VM lifetimes; basalt model push keeps it, promote lets pools go by it."
        case .project: "A tenant, with what it may hold at once."
        case .vm: "A virtual machine as its owner wants it."
        case .vmGroup: "VMs of one template, so many at a time; NAME-0, NAME-1 and on."
        case .trainingJob: "Steps of one model, whose shape and plan change as the cell has room."
        case .servingDeployment: "A model that is served."
        case .allocation, .plan, .operation, .event, .token: "A record; nobody writes it."
        }
    }

    /// Parents before their members.
    static func entries(_ kind: Kind) -> [Entry] { metadata(kind) + spec(kind) }

    private static func metadata(_ kind: Kind) -> [Entry] {
        [
            Entry("metadata", "object", "What every document carries."),
            Entry("metadata.name", "string", "Unique in its kind\(kind.isTenant ? " and project" : "")."),
        ] + (kind.isTenant ? [Entry("metadata.project", "string", "Project of the document.")] : []) + [
            Entry("metadata.labels", "map of strings", "For selectors, such as tier=web."),
            Entry("metadata.annotations", "map of strings", "For people and programs; never selected by."),
        ]
    }

    private static func spec(_ kind: Kind) -> [Entry] {
        let root = Entry("spec", "object", "What its owner wants.")
        switch kind {
        case .cell: return [root, Entry("spec.description", "string", "For people.")] + scopePolicies
        case .pool:
            return [root] + pool + maintenance("the pool's hosts") + emptying + training
        case .host:
            return [root] + host + drain + maintenance("the host") + scopePolicies
        case .flavor: return [root] + resources + devices
        case .policy: return [root] + policy + oversubscription
        case .model: return [root] + model
        case .project: return [root] + project
        case .vm: return [root] + vm
        case .vmGroup: return [root] + vmGroup
        case .trainingJob: return [root] + trainingJob
        case .servingDeployment: return [root] + servingDeployment
        case .allocation, .plan, .operation, .event, .token: return []
        }
    }

    static func choices<Value: RawRepresentable<String> & CaseIterable>(_ type: Value.Type) -> String {
        Value.allCases.map(\.rawValue).joined(separator: ", ")
    }

    private static let pool = [
        Entry("spec.cell", "string, required", "Cell of the hosts."),
        Entry("spec.admits", "list, required", "Uses: \(choices(PoolSpec.Use.self))."),
        Entry(
            "spec.placement", "string",
            "Built-in policy of VMs: \(choices(PoolSpec.Placement.self)); best-fit when absent."),
        Entry("spec.policies", "object", "Policy documents that engines go by here."),
        Entry("spec.policies.placement", "string", "Policy of type placement; instead of placement."),
        Entry("spec.policies.oversubscription", "string", oversubscriptionPolicy),
        Entry(
            "spec.shadow", "string",
            "Policy that is asked about every placement and not followed; plans say how often it differs."),
        Entry(
            "spec.cpuRatioPerMille", "integer, 1000 to 16000",
            "vCPUs sold per vCPU of the standard and spot classes, per mille; 1000 is no oversubscription."),
    ]

    private static let oversubscriptionPolicy =
        "Policy of type oversubscription; of several scopes the nearest counts."

    private static let scopePolicies = [
        Entry("spec.policies", "object", "Policy documents that engines go by here."),
        Entry("spec.policies.oversubscription", "string", oversubscriptionPolicy),
    ]

    private static let oversubscription: [Entry] = {
        let rules = "spec.oversubscription"
        let ratio = "integer, 1000 to 16000"
        return [
            Entry(
                rules, "object, required with type oversubscription", "How far shared CPU is oversubscribed."),
            Entry(
                "\(rules).mode", "string, required",
                "Who moves the ratio: \(choices(OversubscriptionRules.Mode.self))."),
            Entry(
                "\(rules).algorithm", "string",
                "\(choices(OversubscriptionRules.Algorithm.self)) when absent."),
            Entry("\(rules).parameters", "object", "Numbers of the algorithm; its own when absent."),
            Entry(
                "\(rules).parameters.prototypes", "integer, 1 to 32",
                "Shapes of days that scopes are grouped by."),
            Entry("\(rules).parameters.ridge", "number, 0 to 1000", "Strength of the regression."),
            Entry("\(rules).ratioPerMille", ratio, "In force while pinned; where initial and managed begin."),
            Entry("\(rules).ratioMinPerMille", ratio, "Least that is decided; 1000 when absent."),
            Entry("\(rules).ratioMaxPerMille", ratio, "Most that is decided; 2000 when absent."),
            Entry(
                "\(rules).riskTarget", "number, 0.0001 to 0.2",
                "Chance that an hour is hotter than allowed; 0.01 when absent."),
            Entry(
                "\(rules).windowSeconds", "integer, 3600 to 604800",
                "How long a decision stands; 3600 when absent."),
            Entry("\(rules).maxStepUpPerMille", "integer, 1 to 15000", "Largest step up; 250 when absent."),
            Entry(
                "\(rules).maxStepDownPerMille", "integer, 1 to 15000", "Largest step down; 500 when absent."),
            Entry(
                "\(rules).maxUtilizationPerMille", "integer, 1 to 1000",
                "How full predicted peaks may make the shared part of a host."),
            Entry(
                "\(rules).review", "string",
                "When a person is asked: \(choices(OversubscriptionRules.Review.self)); uncertain when absent."
            ),
            Entry("\(rules).expiresAt", "time", "When the policy stops to count."),
            Entry("\(rules).reason", "string, at most \(RatioLimit.reason) characters", "Why it is so."),
        ]
    }()

    private static let policy = [
        Entry(
            "spec.type", "string, required", "Which engine it is for: \(choices(PolicySpec.Subject.self))."),
        Entry(
            "spec.description", "string, at most \(PolicySpec.descriptionLimit) characters", "For people."),
        Entry("spec.placement", "object, required with type placement", "How VMs are placed."),
        Entry(
            "spec.placement.score", "string, required",
            "What orders the hosts that a VM fits on: \(PoolSpec.Placement.offered.joined(separator: ", "))."),
        Entry(
            "spec.placement.predictor", "string",
            "What predicts lifetimes: \(choices(PredictorForm.self)); km when absent."),
        Entry(
            "spec.placement.model", "string",
            "Model to go by, whichever is promoted; with predictor gbdt."),
        Entry("spec.placement.retraining", "object", "When models are made of the pool's own VMs."),
        Entry(
            "spec.placement.retraining.everyHours",
            "integer, \(range(RetrainingRules.hoursRange)), required",
            "Fleet hours from one training to the next."),
        Entry(
            "spec.placement.retraining.keep", "integer, \(range(RetrainingRules.keepRange))",
            "Models kept beside the promoted one and the one before it; 3 when absent."),
        Entry(
            "spec.placement.retraining.labels", "list of strings, at most \(RetrainingRules.labelLimit)",
            "Keys of labels to learn from, beside size, class and project."),
        Entry(
            "spec.placement.retraining.vms", "integer, \(range(RetrainingRules.vmsRange))",
            "The youngest VMs to learn from; 20000 when absent."),
        Entry(
            "spec.placement.retraining.promotes", "boolean",
            "Whether a model that is no worse takes the place of the one in use; true when absent."),
    ]

    private static func range(_ range: ClosedRange<Int>) -> String {
        "\(range.lowerBound) to \(range.upperBound)"
    }

    private static let model = [
        Entry(
            "spec.description", "string, at most \(ModelSpec.descriptionLimit) characters", "For people."),
        Entry(
            "spec.file", "string, required", "The file of basalt model train; basalt model push sends it."),
    ]

    private static let host = [
        Entry("spec.cell", "string, required", "Cell that the host belongs to."),
        Entry("spec.pool", "string, required", "Pool that the host belongs to."),
        Entry("spec.cordoned", "boolean", "No new placements; what runs goes on."),
        Entry(
            "spec.draining", "boolean",
            "Workloads are moved or stopped until the host is empty; implies cordoned."
        ),
        Entry("spec.cordonReason", "string", "Why; required with cordoned and draining."),
        Entry("spec.repair", "object", "That it is to be mended; see basalt host repair and repaired."),
        Entry(
            "spec.repair.state", "open|repaired|waived, required",
            "open is emptied and waits; repaired has to show so; waived is in service nevertheless."),
        Entry("spec.repair.reason", "string, required", "What is to be mended."),
        Entry("spec.repair.since", "time, required", "When the state began."),
        Entry(
            "spec.repair.evidence", "list of strings",
            "Devices that asked for it and since when; absent when a person did."),
        Entry("spec.repair.cordonedBefore", "string", "Why it was cordoned before that."),
    ]

    private static let resources = [
        Entry("spec.resources", "object", "What each host must have free for it."),
        Entry("spec.resources.milliCPU", "integer, required", "Thousandths of a vCPU; 2000 is two vCPUs."),
        Entry("spec.resources.memoryMiB", "integer, required", "Mebibytes of memory."),
    ]

    private static let devices = [
        Entry("spec.devices", "list", "GPUs by model."),
        Entry("spec.devices.model", "string, required", "Model, such as H100."),
        Entry(
            "spec.devices.count", "integer, 1 to \(WorkloadLimit.devices), required",
            "How many of that model, all on one host."),
    ]

    private static let project = [
        Entry("spec.quota", "object", "Bounds on what is allocated at once; no limit when absent."),
        Entry("spec.quota.milliCPU", "integer", "Thousandths of a vCPU."),
        Entry("spec.quota.memoryMiB", "integer", "Mebibytes of memory."),
        Entry("spec.quota.devices", "integer", "GPUs of all models."),
    ]

    private static let vmGroup =
        [
            Entry(
                "spec.replicas", "integer, 1 to \(WorkloadLimit.replicas), required",
                "Members that there shall be; the highest ordinals go first."),
            Entry(
                "spec.placement", "string",
                "\(choices(VMGroupSpec.Placement.self)): hosts for all that wait, or for none; any when absent."
            ),
            Entry(
                "spec.antiAffinity", "string",
                "Members keep apart by \(choices(VMGroupSpec.Separation.self)); none when absent."),
            Entry(
                "spec.template", "object, required", "What members are made from; a change is for new ones."),
            Entry("spec.template.labels", "map of strings", "Labels of the members."),
            Entry("spec.template.spec", "object, required", "As the spec of a VM."),
        ]
        + vm.map { Entry("spec.template." + $0.path, $0.type, $0.help) }

    private static let vm =
        [
            Entry("spec.cell", "string", "Chosen once by the controllers when absent."),
            Entry("spec.pool", "string", "Any pool that admits VMs when absent."),
            Entry(
                "spec.flavor", "string",
                "Name of a flavor that gives resources and devices; instead of resources."),
        ] + resources + devices + [
            Entry(
                "spec.class", "string",
                "Promise of its vCPUs: \(choices(WorkloadClass.self)); standard when absent."),
            Entry("spec.hostSelector", "map of strings", "Labels that the host must carry."),
            Entry("spec.antiAffinity", "object", "Members of one group of the project keep apart."),
            Entry("spec.antiAffinity.group", "string, required", "Name of the group."),
            Entry(
                "spec.antiAffinity.scope", "string, required", "Apart by \(choices(AntiAffinity.Scope.self))."
            ),
            Entry("spec.lifetimeHintSeconds", "integer", "Expected seconds from start to deletion."),
            Entry(
                "spec.onPartition", "string",
                "When its host loses contact: \(choices(PartitionPolicy.self)); keep when absent."),
        ] + program("What it runs on hosts that run processes; it idles when absent.", isRequired: false)
}
