internal import Foundation

/// Recorded use that simulated VMs repeat: lines of `vm,cores,cap_mhz,t0_unix,step_s,values`, the values in
/// hundredths of a per cent of the VM's cores.
public struct UsageTraceFile: Sendable {
    /// Why a file is no trace.
    public struct Defect: Error, CustomStringConvertible {
        public let description: String
    }

    private struct Line {
        var step: Double
        var shares: [UInt16]
    }

    private let lines: [Line]

    /// - Throws: `Defect`; what reading throws.
    public init(path: String) throws {
        try self.init(text: try String(contentsOfFile: path, encoding: .utf8))
    }

    /// - Throws: `Defect`.
    public init(text: String) throws {
        var lines: [Line] = []
        for (number, line) in text.split(separator: "\n").enumerated() {
            let fields = line.split(separator: ",", omittingEmptySubsequences: false)
            if number == 0, fields.first == "vm" { continue }
            guard fields.count > 5, let step = Double(fields[4]), step > 0 else {
                throw Defect(description: "line \(number + 1): no vm, cores, cap, start, step and values")
            }
            let shares = try fields[5...].map { field in
                guard !field.isEmpty else { return UInt16(0) }
                guard let share = UInt16(field), share <= 10_000 else {
                    throw Defect(description: "line \(number + 1): \"\(field)\" is outside 0 to 10000")
                }
                return share
            }
            lines.append(Line(step: step, shares: shares))
        }
        guard !lines.isEmpty else { throw Defect(description: "no line of use") }
        self.lines = lines
    }

    /// The share of its cores that a VM uses: VMs are dealt out to lines by a number of theirs, and a line
    /// begins again when it ends.
    ///
    /// - Parameter seconds: on the clock of the trace, from its beginning.
    func share(vm: UInt64, at seconds: Double) -> Double {
        let line = lines[Int(vm % UInt64(lines.count))]
        let step = Int(max(0, seconds) / line.step) % line.shares.count
        return Double(line.shares[step]) / 10_000
    }
}
