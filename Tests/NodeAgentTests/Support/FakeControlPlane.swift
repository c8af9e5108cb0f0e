import AgentProtocol
import Fleet
import NodeAgent

/// The model behind the asynchronous protocol, with long-polls on the manual clock.
actor FakeControlPlane: ControlPlane {
    private var model = ControlModel()
    private let clock: ManualClock

    init(clock: ManualClock) { self.clock = clock }

    func edit(_ body: @Sendable (inout ControlModel) -> Void) { body(&model) }
    func read<Value: Sendable>(_ body: @Sendable (ControlModel) -> Value) -> Value { body(model) }

    func hello(_ request: HelloRequest) throws -> HelloResponse { try model.hello(request) }
    func report(_ request: ReportRequest) throws -> ReportResponse { try model.report(request) }
    private(set) var answers: [LogAnswer] = []
    func answer(_ answer: LogAnswer) { answers.append(answer) }

    func poll(_ request: PollRequest) async throws -> PollResponse {
        let end = clock.now().advanced(by: .seconds(request.waitSeconds))
        while true {
            if let response = try model.poll(request) { return response }
            if clock.now() >= end {
                return PollResponse(cursor: request.cursor ?? "0", epoch: model.epoch, assignments: [])
            }
            try await clock.sleep(until: clock.now().advanced(by: .milliseconds(20)))
        }
    }
}
