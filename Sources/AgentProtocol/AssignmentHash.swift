internal import Crypto
internal import Fleet

extension HostAssignment {
    /// SHA-256 over the parts, one line of text each, lower-case hex. Both sides compute it with this
    /// function; a line rather than JSON because it is computed for every change of every host.
    public static func hash(of parts: [PartDirective]) -> String {
        var hash = SHA256()
        for part in parts {
            let workload = part.workload
            let fields = [
                part.allocation.description, part.action.rawValue, workload.kind.rawValue,
                workload.uid.description,
                workload.project, workload.name, workload.part, String(part.resources.milliCPU),
                String(part.resources.memoryMiB), part.devices.joined(separator: ","),
                part.onPartition.rawValue,
            ]
            // Names hold neither separator, so no two lists of parts give one text.
            hash.update(data: Array((fields.joined(separator: "|") + "\n").utf8))
            for text in part.task?.texts ?? [] {
                // Commands may hold anything, so each is preceded by its length.
                hash.update(data: Array("\(text.utf8.count):\(text)\n".utf8))
            }
        }
        return hash.finalize().hexadecimal
    }
}

extension PartTask {
    /// Everything in it, in one order; no two tasks give the same.
    fileprivate var texts: [String] {
        let command = run.map { ["run", "\($0.command.count)"] + $0.command } ?? []
        let variables = (run?.env ?? [:]).sorted { $0.key < $1.key }.flatMap { ["env", $0.key, $0.value] }
        let directory = run?.workingDirectory.map { ["workingDirectory", $0] } ?? []
        let files = image.map { ["image", $0.source, $0.sha256 ?? ""] } ?? []
        let ending = stop.map { ["stop", $0.signal.rawValue, "\($0.graceSeconds)"] } ?? []
        return command + variables + directory + files + ending
    }
}

extension Sequence<UInt8> {
    /// Two lower-case digits per byte.
    package var hexadecimal: String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in self {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
