internal import FaultLab
internal import NodeAgent
internal import Synchronization

/// The log of a simulated machine's kernel: all of it is kept.
final class MachineKernelLog: KernelLog {
    private let lines = Mutex<[String]>([])

    func append(_ line: String) { lines.withLock { $0.append(line) } }

    func read(after cursor: KernelLogCursor?, bootID: String) -> KernelLogBatch {
        lines.withLock { lines in
            let start = min(lines.count, Int(cursor?.position ?? 0))
            return KernelLogBatch(
                lines: Array(lines[start...]),
                cursor: KernelLogCursor(bootID: bootID, position: UInt64(lines.count)))
        }
    }
}

extension Fault {
    /// What the driver says of a device when the fault begins, and when it is over; nil of a fault that no
    /// driver tells of.
    var kernelLines: (begin: String, end: String)? {
        guard target.component == .device else { return nil }
        let code: String
        switch kind {
        case .deviceXID, .deviceECC: code = parameters.value ?? "79"
        case .deviceNVLink: code = parameters.value ?? "74"
        default: return nil
        }
        let device = "GPU-" + target.name.replacing("/", with: "-")
        let recovered = "154, GPU recovery action changed from 0x1 to 0x0 (None)"
        return ("NVRM: Xid (PCI:\(device)): \(code)", "NVRM: Xid (PCI:\(device)): \(recovered)")
    }
}
