import Fleet
import Testing

@testable import CommandLine

@Suite struct RateTableTests {
    @Test func aDayIsOneCharacterAnHour() {
        #expect(RateTables.curve([0, 0.01, 0.5, 1, 7, -1]) == " ▁▄██ ")
        #expect(RateTables.curve([]) == "")
    }

    @Test func aScopeIsReadOrToldHowToWriteIt() throws {
        #expect(try OversubGroup.scope("pool/vms") == RateScope(.pool, "vms"))
        for (text, nearest) in [("pol/vms", "pool/NAME"), ("hst/h1", "host/NAME"), ("cells/a", "cell/NAME")] {
            let failure = #expect(throws: CommandFailure.self) { try OversubGroup.scope(text) }
            #expect(failure?.message.contains("write it as \(nearest)") == true, "\(text)")
        }
    }

    @Test func aRatioHasItsBounds() throws {
        #expect(try OversubGroup.ratio("1.5") == 1500)
        #expect(try OversubGroup.ratio("16") == 16_000)
        let failure = #expect(throws: CommandFailure.self) { try OversubGroup.ratio("0.5") }
        #expect(failure?.message.contains("the nearest is 1") == true)
    }
}
