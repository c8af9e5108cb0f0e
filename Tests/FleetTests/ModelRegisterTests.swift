import Fleet
import Testing

@Suite struct ModelRegisterTests {
    private static let ids = (1...4).compactMap {
        ID<Document>("00000000-0000-0000-0000-00000000000\($0)")
    }

    private static func time(_ seconds: Double) -> Timestamp { Timestamp(seconds: seconds) }

    private static var register: ModelRegister {
        ModelRegister(ids.enumerated().map { .init(uid: $1, name: "m\($0)", status: ModelStatus()) })
    }

    @Test func promotionsAreAStackPerScope() {
        var register = Self.register
        let (ids, pool) = (Self.ids, ModelScope(pool: "p"))
        #expect(register.promote(ids[0], in: .everywhere, by: "a", at: Self.time(1)) == [ids[0]])
        #expect(register.promote(ids[0], in: .everywhere, by: "a", at: Self.time(2)) == [])
        #expect(register.promote(ids[3], in: pool, by: "a", at: Self.time(2)) == [ids[3]])
        #expect(register.promote(ids[1], in: .everywhere, by: "a", at: Self.time(3)) == [ids[0], ids[1]])
        #expect(register.promote(ids[2], in: .everywhere, by: "a", at: Self.time(4)) == [ids[1], ids[2]])
        #expect(register.promoted(in: .everywhere)?.uid == ids[2])
        #expect(register.promoted(in: pool)?.uid == ids[3])
        #expect(register.entries[ids[1]]?.status.state == .retired)
        #expect(register.takeBack(ids[1], in: .everywhere, by: "b", at: Self.time(5)) == [])
        #expect(register.takeBack(ids[2], in: .everywhere, by: "b", at: Self.time(5)) == [ids[1], ids[2]])
        #expect(register.promoted(in: .everywhere)?.uid == ids[1])
        #expect(register.takeBack(ids[1], in: .everywhere, by: "b", at: Self.time(6)) == [ids[0], ids[1]])
        #expect(register.takeBack(ids[0], in: .everywhere, by: "b", at: Self.time(7)) == [ids[0]])
        #expect(register.promoted(in: .everywhere) == nil)
        #expect(register.promoted(in: pool)?.uid == ids[3])
    }

    @Test func oneModelMayBeInForceInSeveralScopes() {
        var register = Self.register
        let (one, pool) = (Self.ids[0], ModelScope(pool: "p"))
        _ = register.promote(one, in: .everywhere, by: "a", at: Self.time(1))
        _ = register.promote(one, in: pool, by: "a", at: Self.time(2))
        _ = register.takeBack(one, in: .everywhere, by: "a", at: Self.time(3))
        #expect(register.entries[one]?.status.state == .promoted)
        #expect(register.promoted(in: pool)?.uid == one && register.promoted(in: .everywhere) == nil)
    }

    @Test func aModelRemembersAFewPromotionsOnly() {
        var register = Self.register
        for round in 0..<40 {
            _ = register.promote(Self.ids[round % 2], in: .everywhere, by: "a", at: Self.time(Double(round)))
        }
        let status = register.entries[Self.ids[0]]?.status
        #expect(status?.promotions.count == ModelStatus.historyLimit)
        #expect(status?.promotions.last?.since == Self.time(38))
    }

    @Test func policiesSayWhatIsWrongWithTheirPredictor() {
        func fields(_ rules: PlacementRules) -> [String] {
            PolicySpec(type: .placement, placement: rules).defects().map(\.field)
        }
        #expect(fields(PlacementRules(score: .lava, predictor: .gbdt, model: "m")) == [])
        #expect(fields(PlacementRules(score: .lava, model: "m")) == ["spec.placement.model"])
        #expect(fields(PlacementRules(score: .bestFit, predictor: .km)) == ["spec.placement.predictor"])
        #expect(
            fields(PlacementRules(score: .lava, predictor: .gbdt, model: "M")) == ["spec.placement.model"])
        let rules = RetrainingRules(everyHours: 0, keep: 51, labels: [""], vms: 499)
        #expect(
            fields(PlacementRules(score: .lava, retraining: rules)) == [
                "spec.placement.retraining.everyHours", "spec.placement.retraining.keep",
                "spec.placement.retraining.vms", "spec.placement.retraining.labels",
            ])
    }
}
