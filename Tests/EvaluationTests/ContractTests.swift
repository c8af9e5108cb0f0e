import Evaluation
import Fleet
import Foundation
import Logging
import Testing
import Yams

@Suite struct ContractTests {
    @Test func `the contract names every route and no other`() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "contract-\(UUID().uuidString)")
        let now: @Sendable () -> Timestamp = { Timestamp(seconds: 0) }
        let host = try SessionHost(
            SessionHost.Parts(
                program: "/bin/false", folder: folder.path, operatorToken: nil,
                ids: TimeOrderedIDSource(now: now, entropy: { UUID() }), now: now, secret: { "" },
                logger: Logger(label: "test")))
        let contract = try #require(try Yams.load(yaml: EvaluationServer.contract) as? [String: Any])
        let paths = try #require(contract["paths"] as? [String: [String: Any]])
        let described = Set(paths.flatMap { path, verbs in verbs.keys.map { "\($0) \(path)" } })
        #expect(described == Set(EvaluationServer(host).routes))
    }
}
