import FaultInjection
import FaultLab
import Foundation
import Testing

/// What the documentation says can be injected is what can be.
struct KindTests {
    @Test func theTableOfKindsIsTrue() throws {
        let table = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Sources/FaultLab/Documentation.docc/FaultKinds.md")
        var live: [String: String] = [:]
        for line in try String(contentsOf: table, encoding: .utf8).split(separator: "\n")
        where line.hasPrefix("| ") && !line.hasPrefix("| kind") {
            let cells = line.split(separator: "|", omittingEmptySubsequences: false)
                .map { $0.trimmingCharacters(in: .whitespaces) }
            live[cells[1]] = cells[3]
        }
        #expect(Set(live.keys) == Set(FaultKind.allCases.map(\.rawValue)))
        let offered = Set(Self.everything.offered.flatMap(\.kinds).map(\.rawValue))
        #expect(Set(live.filter { $0.value == "yes" }.keys) == offered)
    }

    /// A target of every component, reached in every way.
    private static let everything: TargetFile = {
        let ways: [(String) -> TargetFile.Entry] = [
            { .init(target: FaultTarget(.agent, $0), proxy: .init(api: "http://127.0.0.1:1", names: ["p"])) },
            { .init(target: FaultTarget(.agent, $0), interface: .init(device: "lo")) },
            {
                .init(
                    target: FaultTarget(.agent, $0), program: .init(command: ["x"]), agentStates: ["s"],
                    database: .init(dataDirectory: "d", role: "r"), seams: ["s"], controlGroup: "g")
            },
        ]
        var entries: [TargetFile.Entry] = []
        for component in FaultTarget.Component.allCases {
            for (number, way) in ways.enumerated() {
                var entry = way("t-\(number)")
                entry.target = FaultTarget(component, "t-\(number)")
                entries.append(entry)
            }
        }
        return TargetFile(targets: entries)
    }()
}
