internal import Fleet
internal import Store
internal import TrainingScheduling

/// Makes the parts of a job's shape: what each takes of its host, and what it is told of the others.
struct TrainingLaunch {
    let job: TrainingJobRecord
    let promise: TrainingPromise
    /// Hosts of the shares, in their order.
    let hosts: [HostRecord]
    /// Devices of the shares, in their order; empty where CPUs stand for them.
    let devices: [[String]]
    let plan: ExecutionPlan
    /// Steps whose result is on disk, as far as its ranks told.
    let checkpointStep: Int
    let cell: String
    let now: Timestamp

    /// Ports for the ranks to meet at: above those of services, below those of outgoing connections.
    private static let ports = 20_000..<30_000
    /// The label of a host that says where others reach it; its name when absent.
    static let addressLabel = "basalt/address"

    init(
        job: TrainingJobRecord, promise: TrainingPromise, hosts: [HostRecord], devices: [[String]],
        checkpointStep: Int, cell: String, now: Timestamp
    ) {
        self.job = job
        self.promise = promise
        self.hosts = hosts
        self.devices = devices
        self.checkpointStep = checkpointStep
        self.cell = cell
        self.now = now
        // Profiles may name plans in their own words: all that is known of one then is how many take part.
        let gpus = promise.point.gpus
        plan = ExecutionPlan(notation: promise.point.plan, gpus: gpus) ?? ExecutionPlan(data: gpus)
    }

    func directives(ids: any IDSource) -> [AllocateDirective] {
        var rank = 0
        var directives: [AllocateDirective] = []
        for (node, share) in promise.shares.enumerated() {
            let isPerHost = job.spec.processes == .perHost
            let count = isPerHost ? 1 : share.devices
            for local in 0..<count {
                let held =
                    devices[node].isEmpty ? [] : isPerHost ? devices[node] : [devices[node][local]]
                let ranks = isPerHost ? share.devices : 1
                var variables = common
                variables["NODE_RANK"] = "\(node)"
                variables["RANK"] = "\(rank)"
                variables["LOCAL_RANK"] = "\(local)"
                variables["LOCAL_WORLD_SIZE"] = "\(share.devices)"
                if isPerHost { variables["NPROC_PER_NODE"] = "\(share.devices)" }
                if !held.isEmpty { variables["CUDA_VISIBLE_DEVICES"] = held.joined(separator: ",") }
                directives.append(
                    directive(
                        part: "worker-\(isPerHost ? node : rank)", host: hosts[node], ranks: ranks,
                        devices: held, variables, ids))
                rank += ranks
            }
        }
        return directives
    }

    private func directive(
        part: String, host: HostRecord, ranks: Int, devices: [String], _ variables: [String: String],
        _ ids: any IDSource
    ) -> AllocateDirective {
        let spec = job.spec
        var run = spec.run
        run.env = (run.env ?? [:]).merging(variables) { $1 }
        let checkpoint = spec.checkpoint ?? CheckpointSpec()
        let task = PartTask(
            run: run, image: spec.image,
            stop: StopRequest(
                signal: checkpoint.signal ?? .term,
                graceSeconds: checkpoint.graceSeconds ?? CheckpointSpec.grace,
                command: checkpoint.command,
                commandSeconds: checkpoint.command == nil
                    ? nil : checkpoint.commandSeconds ?? CheckpointSpec.grace))
        let allocation = Allocation(
            id: ID(ids.next()), workload: job.reference(part: part), cell: cell, host: host.id,
            class: spec.isGuaranteed ? .guaranteed : .standard, resources: resources(ranks: ranks),
            devices: devices, onPartition: spec.onPartition ?? .stop, createdAt: now, task: task)
        return AllocateDirective(
            allocation: allocation, workloadGeneration: job.metadata.generation,
            hostGeneration: host.generation, message: promise.message)
    }

    func resources(ranks: Int) -> Resources {
        Resources(
            milliCPU: ranks * promise.point.threadsPerGPU * 1000,
            memoryMiB: ranks * promise.point.memoryPerGPU)
    }

    /// What every rank is told, as torchrun tells it, and the plan's degrees.
    private var common: [String: String] {
        let first = hosts.first
        var variables = [
            "MASTER_ADDR": first?.labels[Self.addressLabel] ?? first?.name ?? "",
            "MASTER_PORT": "\(port)",
            "WORLD_SIZE": "\(promise.point.gpus)", "NNODES": "\(promise.shares.count)",
            "BASALT_PLAN": promise.point.plan, "BASALT_DP": "\(plan.data)", "BASALT_TP": "\(plan.tensor)",
            "BASALT_PP": "\(plan.pipeline)", "BASALT_ACCUMULATION": "\(plan.accumulation)",
            "BASALT_RECOMPUTE": plan.checkpointing ? "1" : "0", "BASALT_ZERO": plan.sharding.rawValue,
            "BASALT_STEPS": "\(job.spec.steps)", "BASALT_RESUME_STEP": "\(checkpointStep)",
            "BASALT_STEP_SECONDS": "\(promise.point.secondsPerStep)",
            "OMP_NUM_THREADS": "\(promise.point.threadsPerGPU)",
        ]
        variables["BASALT_EXIT_OUT_OF_MEMORY"] = "\(TrainingLimit.outOfMemoryExit)"
        variables["BASALT_GLOBAL_BATCH"] = job.spec.globalBatch.map { "\($0)" }
        variables["BASALT_CHECKPOINT_DIR"] = job.spec.checkpoint?.directory
        variables["BASALT_CHECKPOINT_SIGNAL"] = (job.spec.checkpoint?.signal ?? .term).rawValue
        return variables
    }

    /// Another one for every shape: the one before may still be in its last wait.
    private var port: Int {
        let uid = job.uid.description.utf8.reduce(0) { ($0 &* 31 &+ Int($1)) & 0xFFFF_FFFF }
        let turn = job.status.reconfigurations + job.status.restarts
        return Self.ports.lowerBound + (uid + turn) % Self.ports.count
    }
}
