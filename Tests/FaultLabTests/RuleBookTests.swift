@testable import FaultLab
import Fleet
import Foundation
import Testing

@Suite struct RuleBookTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    @Test(arguments: AlertName.allCases)
    func `every alert of monitoring has a page`(name: AlertName) throws {
        let alert = Alert(
            name: name.rawValue, component: ComponentName("gpu/h-01/3"), since: Timestamp(seconds: 0),
            text: "x")
        let finding = try #require(RuleBookAgent.findings([alert], racks: [:]).first)
        #expect(!finding.component.description.isEmpty)
    }

    /// What operators are paged for is in the book, and nothing else is.
    @Test func `every alert rule of the product has a page`() throws {
        let text = try String(
            contentsOf: Self.root.appending(path: "Charts/basalt/alerts.yaml"), encoding: .utf8)
        let rules = text.split(separator: "\n").compactMap { line -> String? in
            let words = line.split(separator: " ")
            return words.starts(with: ["-", "alert:"]) ? words.last.map(String.init) : nil
        }
        #expect(rules.count >= 15)
        #expect(Set(rules) == Set(RuleBookAgent.rules.keys))
        for rule in rules {
            let alert = Alert(
                name: rule, component: ComponentName("host/h-01"), since: Timestamp(seconds: 0), text: "x")
            #expect(!RuleBookAgent.findings([alert], racks: [:]).isEmpty, "\(rule)")
        }
    }

    @Test func `what the catalogue breaks and monitoring sees is found by its page`() {
        let alert = Alert(
            name: AlertName.gpuRemapFailed.rawValue, component: ComponentName("gpu/h-01/3"),
            since: Timestamp(seconds: 0), text: "x")
        let finding = RuleBookAgent.findings([alert], racks: [:]).first
        #expect(finding?.component == ComponentName("gpu/h-01/3"))
        #expect(finding?.repair == .act(.markGPU, .text("h-01/3"), .text("excluded")))
    }
}
