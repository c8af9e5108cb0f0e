public import Foundation

/// Which GPUs serve in which groups, what each group does, and where requests go.
public struct ServingPlan: Sendable, Hashable, Codable {
    /// How it was found.
    public enum Kind: String, Sendable, Hashable, Codable {
        /// Groups, layouts, phases and routes.
        case full
        /// Phases and routes; weights stay where they lie.
        case light
        /// Routes alone.
        case routes
    }

    /// One replica of the model.
    public struct Group: Sendable, Hashable, Codable {
        /// Such as `g1`.
        public var name: String
        public var phase: Phase
        public var stages: [PlacedStage]
        /// Prompts per second at most.
        public var prefillRate: Double
        /// Requests per second at most, by the tokens of their answers.
        public var decodeRate: Double
        /// Sequences at once at which every token is in time.
        public var batch: Int
        /// Tokens of keys and values that fit.
        public var kvTokens: Int
        /// Dollars per hour: its part of what its nodes cost.
        public var costPerHour: Double
    }

    /// A block of GPUs that share layers.
    public struct PlacedStage: Sendable, Hashable, Codable {
        public var node: String
        public var type: String
        /// Ids such as `node-1/0`; as many as share the layers.
        public var gpus: [String]
        public var layers: Int

        public init(node: String, type: String, gpus: [String], layers: Int) {
            self.node = node
            self.type = type
            self.gpus = gpus
            self.layers = layers
        }
    }

    /// What goes to one pair of groups.
    public struct Route: Sendable, Hashable, Codable {
        public var prefill: String
        /// The same group where it does both.
        public var decode: String
        /// Of all requests.
        public var share: Double
        /// Of the requests of the prefill group.
        public var weight: Double
        /// Of the requests of the pair, those in time.
        public var attainment: Double
        /// Keys and values of the mean prompt on their way, seconds.
        public var transferSeconds: Double
        /// Keys and values on their way, bytes per second; 0 within one group, nil in plans of older versions.
        public var bytesPerSecond: Double?
        /// Share of the time in which the busiest network card of the path is busy with them.
        public var linkUse: Double?
    }

    public struct Prediction: Sendable, Hashable, Codable {
        /// Share of all requests in time.
        public var attainment: Double
        /// Requests per second of which the share that is aimed at is in time.
        public var goodput: Double
    }

    public var kind: Kind
    public var model: String
    /// Requests per second that it was made for.
    public var rate: Double
    public var groups: [Group]
    public var routes: [Route]
    /// GPUs that no group uses.
    public var spare: [String]
    public var predicted: Prediction
    /// Dollars of all nodes, used or not.
    public var costPerHour: Double
    public var evaluations: Int
    public var seed: UInt64
    /// Time of the search, the one member that differs from run to run; 0 when it was not measured.
    public var searchMs: Double
    /// Whether time ended the search and not the number of evaluations.
    public var isCapped: Bool
    public var explanation: PlanExplanation
    /// What it was made from, so that it can be simulated and repaired without anything else.
    public var inputs: PlanInputs
    /// What it was repaired after; nil for a plan made from nothing.
    public var repair: PlanRepair?
}

extension ServingPlan {
    /// Reads a plan that was written as JSON.
    ///
    /// - Throws: `ServingError` of code `plan`.
    public init(json: Data, name: String) throws(ServingError) {
        do {
            self = try JSONDecoder().decode(ServingPlan.self, from: json)
        } catch {
            throw ServingError(.plan, "\(name): \(ServingError.words(error))")
        }
    }
}

/// All that a plan was made from.
public struct PlanInputs: Sendable, Hashable, Codable {
    public var cluster: ServingCluster
    /// Of the nodes of the cluster, each once.
    public var types: [GPUType]
    public var model: ModelShape
    public var precision: ServingPrecision
    public var settings: CostSettings
    public var workload: ServingWorkload
    public var levels: ServiceLevels
    public var rules: PlanningRules

    init(_ problem: PlanningProblem) {
        let hardware = problem.hardware
        cluster = hardware.cluster
        types = []
        for type in hardware.types where !types.contains(type) { types.append(type) }
        model = hardware.model
        precision = hardware.precision
        settings = hardware.settings
        workload = problem.workload
        levels = problem.levels
        rules = problem.rules
    }

    /// - Throws: `ServingError` for inputs that cannot be.
    func problem() throws(ServingError) -> PlanningProblem {
        let catalogue = ServingCatalogue(gpus: types, models: [])
        let hardware = try ServingHardware(
            cluster: cluster, model: model, precision: precision, settings: settings, catalogue: catalogue)
        return try PlanningProblem(
            hardware: hardware, workload: workload, levels: levels, rules: rules)
    }
}

/// Why a plan is as good as it is, and no better.
public struct PlanExplanation: Sendable, Hashable, Codable {
    /// What a plan would need more of.
    public enum Constraint: String, Sendable, Hashable, Codable {
        case prefill, decode, network
        /// Nothing: every request is routed.
        case none
    }

    /// Of one group.
    public struct GroupWorth: Sendable, Hashable, Codable {
        public var group: String
        /// Share of the permitted capacity that the routes use.
        public var prefillUse: Double
        public var decodeUse: Double
        /// Attainment gained by one more request per second of capacity.
        public var prefillWorth: Double
        public var decodeWorth: Double
        /// Attainment lost without any one of its GPUs, with the others' routes made anew: what each of them
        /// is worth.
        public var gpuWorth: Double
    }

    /// What is short, by what more of it would gain.
    public var binding: Constraint
    /// Attainment of one more request per second among those that come.
    public var requestWorth: Double
    public var groups: [GroupWorth]
}

/// What happened, and what a repair gained.
public struct PlanRepair: Sendable, Hashable, Codable {
    /// Such as `gpu-lost:node-1/0`.
    public var event: String
    /// Groups that can serve no more.
    public var down: [String]
    /// Groups whose phase changed.
    public var flipped: [String]
    /// With the routes as they were.
    public var staleAttainment: Double
    /// With new routes only.
    public var routesAttainment: Double
    /// Until the new routes were there, milliseconds; 0 when it was not measured.
    public var routesMs: Double
    /// What a plan from nothing would give, and whether it pays; nil when it was not searched.
    public var proposal: Proposal?

    /// A plan from nothing, beside the repaired one.
    public struct Proposal: Sendable, Hashable, Codable {
        public var attainment: Double
        public var goodput: Double
        /// Until the last weights are loaded and engines are up, seconds.
        public var reloadSeconds: Double
        /// Whether what it gains in half an hour is more than what reloading loses.
        public var pays: Bool
    }
}
