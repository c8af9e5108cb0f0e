import Evaluation
import Testing
import Yams

@Suite struct ContractTests {
    @Test func `the contract is served and names every path`() throws {
        #expect(EvaluationServer.contract.contains("/v1/aiops/sessions"))
    }
}
