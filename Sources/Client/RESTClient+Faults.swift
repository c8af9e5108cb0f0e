internal import APITypes
public import FaultLab

extension RESTClient {
    /// Injected faults, newest first, those that are over as well.
    public func faults() async throws -> [FaultRecord] {
        try await send(.get(APIPath("faults")), as: WireList<FaultRecord>.self).items
    }

    public func fault(_ name: String) async throws -> FaultRecord {
        try await send(.get(APIPath("faults", name)), as: FaultRecord.self)
    }

    public func injectFault(_ draft: FaultDraft, dryRun: Bool = false) async throws -> FaultRecord {
        try await post(APIPath("faults"), draft, dryRun: dryRun, as: FaultRecord.self)
    }

    /// Takes a fault back, for good.
    public func abortFault(_ name: String, reason: String) async throws -> FaultRecord {
        try await post(APIPath("faults", name, "abort"), FaultVerb(reason: reason), as: FaultRecord.self)
    }

    public func pauseFault(_ name: String) async throws -> FaultRecord {
        try await post(APIPath("faults", name, "pause"), FaultVerb(reason: ""), as: FaultRecord.self)
    }

    public func resumeFault(_ name: String) async throws -> FaultRecord {
        try await post(APIPath("faults", name, "resume"), FaultVerb(reason: ""), as: FaultRecord.self)
    }

    public func faultSwitch() async throws -> FaultSwitchState {
        try await send(.get(APIPath("faultswitch")), as: FaultSwitchState.self)
    }

    /// Ends all faults, and refuses new ones until `liftFaultSwitch`.
    public func engageFaultSwitch(reason: String) async throws -> FaultSwitchState {
        try await post(
            APIPath("faultswitch", "engage"), FaultVerb(reason: reason), as: FaultSwitchState.self)
    }

    public func liftFaultSwitch() async throws -> FaultSwitchState {
        try await post(APIPath("faultswitch", "lift"), FaultVerb(reason: ""), as: FaultSwitchState.self)
    }

    public func faultInjectors() async throws -> [InjectorSummary] {
        try await send(.get(APIPath("faultinjectors")), as: WireList<InjectorSummary>.self).items
    }

    /// What an injector tells, and what it is told.
    public func exchange(injector: String, _ report: InjectorReport) async throws -> InjectorOrders {
        try await post(APIPath("faultinjectors", injector, "exchange"), report, as: InjectorOrders.self)
    }

    private func post<Value: Decodable>(
        _ path: APIPath, _ request: some Encodable, dryRun: Bool = false, as type: Value.Type
    ) async throws -> Value {
        try await send(try .post(path, body: request, key: newIdempotencyKey(), dryRun: dryRun), as: type)
    }
}
