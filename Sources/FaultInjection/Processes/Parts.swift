internal import Foundation
internal import Shim

/// Parts that an agent runs as processes, as its state directory tells.
enum Parts {
    private struct Manifest: Decodable {
        struct Directive: Decodable { var workload: Workload }
        struct Workload: Decodable {
            var project: String?
            var name: String
        }
        var directive: Directive
    }

    /// Who runs under an agent.
    /// - Parameter workload: `NAME` or `PROJECT/NAME`; nil for all.
    static func processes(agentState: String, workload: String? = nil) -> [ProcessRecord] {
        let folder = agentState + "/substrate/parts"
        // why `try?`: parts come and go, and without any the folder may be missing.
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
        return names.compactMap { name in
            let part = "\(folder)/\(name)"
            guard let manifest = FileManager.default.contents(atPath: part + "/part.json"),
                let who = (try? JSONDecoder().decode(Manifest.self, from: manifest))?.directive.workload,
                workload == nil || workload == who.name || workload == "\(who.project ?? "")/\(who.name)",
                let text = FileManager.default.contents(atPath: "\(part)/\(PartFiles.process)")
            else { return nil }
            return ProcessRecord(String(decoding: text, as: UTF8.self))
        }
    }
}
