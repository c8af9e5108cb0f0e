/// A published trace's layout, as far as it is imported.
public enum TraceFormat: String, Sendable, Hashable, CaseIterable {
    /// Azure's packing trace of 2020: its SQLite file, or a text of `vmId, tenantId, priority, starttime,
    /// endtime, core, memory` with the sizes on one machine.
    case azurePacking2020 = "azure-packing-2020"
    /// `vmtable.csv` of Azure's public data set of 2017, and of 2019.
    case azureV1 = "azure-v1"
    case azureV2 = "azure-v2"
    /// Creations and deletions of Huawei's East 1 region.
    case huawei
    /// Pods of Alibaba's GPU cluster of 2023.
    case openb
    /// Inference instances of Alibaba's GPU trace of 2025.
    case dlrm

    /// Columns that are looked at.
    var columns: [String] {
        switch self {
        case .azurePacking2020:
            ["vmid", "tenantid", "priority", "starttime", "endtime", "core", "memory"]
        case .azureV1, .azureV2: Self.vmTable
        case .huawei: ["vmid", "cpu", "memory", "time", "type"]
        case .openb:
            [
                "name", "cpu_milli", "memory_mib", "num_gpu", "gpu_milli", "qos", "creation_time",
                "deletion_time",
            ]
        case .dlrm:
            [
                "role", "app_name", "cpu_request", "gpu_request", "rdma_request", "memory_request",
                "disk_request", "max_instance_per_node", "creation_time", "deletion_time",
            ]
        }
    }

    /// Whether the first row names the columns. Azure's table has no header.
    var hasHeader: Bool { self != .azureV1 && self != .azureV2 }

    private static let vmTable = [
        "vmid", "subscriptionid", "deploymentid", "created", "deleted", "maxcpu", "avgcpu", "p95maxcpu",
        "category", "cores", "memory",
    ]

    /// Names of what is kept beside times and sizes.
    var extras: [String] {
        switch self {
        case .azurePacking2020: ["project", "priority"]
        case .azureV1, .azureV2: ["batch_id", "project", "category"]
        case .huawei: []
        case .openb: ["gpu", "gpu_milli", "qos"]
        case .dlrm: ["project", "role", "gpu", "rdma", "disk", "per_node"]
        }
    }
}
