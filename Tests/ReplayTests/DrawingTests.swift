import Fleet
import Foundation
import Replay
import Testing
import VMPlacement

@Suite struct DrawingTests {
    private func drawing(_ values: [[Double]], warmUp: Int = 0, step: Int = 3600) throws -> String {
        let policies = PlacementPolicy.allCases
        let results = values.enumerated().map { index, values in
            PolicyResult(
                policy: policies[index % policies.count], emptyHostsPct: 12.5 + Double(index), densityPct: 80,
                placed: 1, failed: 0, emptyHosts: values)
        }
        let options = try VMExperiment.Options(
            hosts: 2, shape: HostShape(parsing: "4x8"), warmUpSeconds: warmUp, sampleStepSeconds: step)
        return EmptyHostsDrawing(results, options: options).text
    }

    /// `BASALT_UPDATE_GOLDENS=1` writes the file anew, for review.
    @Test func aTinyDrawing() throws {
        let text = try drawing([[10, 20, 15, 31], [5, 5.25, 0, 12]], warmUp: 86_400, step: 43_200)
        let golden = PackageRoot.url.appending(path: "Tests/ReplayTests/Goldens/empty-hosts.svg")
        if ProcessInfo.processInfo.environment["BASALT_UPDATE_GOLDENS"] == "1" {
            try text.write(to: golden, atomically: true, encoding: .utf8)
        }
        #expect(text == (try String(contentsOf: golden, encoding: .utf8)))
    }

    @Test(arguments: [
        [], [[]], [[100]], [[0, 0]], Array(repeating: [1, 2, 3], count: 10),
        [(0..<5000).map { Double($0 % 100) }],
    ])
    func everyDrawingIsWellFormed(values: [[Double]]) throws {
        let text = try drawing(values)
        let parser = XMLWellFormed(text)
        #expect(parser.isWellFormed, "\(text.prefix(2000))")
        #expect(!text.contains("nan") && !text.contains("inf"))
        // As many points as pixels at most.
        #expect(text.utf8.count < 30_000)
    }
}

/// Whether every element that opens is closed: enough for text without entities and comments.
private struct XMLWellFormed {
    let isWellFormed: Bool

    init(_ text: String) {
        var open: [Substring] = []
        var isGood = true
        for piece in text.split(separator: "<").dropFirst(text.hasPrefix("<") ? 0 : 1) {
            guard let end = piece.firstIndex(of: ">") else {
                isGood = false
                break
            }
            let tag = piece[..<end]
            if tag.hasPrefix("/") {
                isGood = isGood && open.popLast() == tag.dropFirst()
            } else if !tag.hasSuffix("/") {
                open.append(tag.prefix { $0 != " " && $0 != "\n" })
            }
            isGood = isGood && tag.count { $0 == "\"" } % 2 == 0
        }
        isWellFormed = isGood && open.isEmpty
    }
}
