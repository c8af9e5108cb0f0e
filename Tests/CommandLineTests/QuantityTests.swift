import Testing

@testable import CommandLine

struct QuantityTests {
    @Test(arguments: [("2", 2000), ("0.5", 500), ("500m", 500), ("1.125", 1125)])
    func readsCPU(text: String, milli: Int) throws { #expect(try Quantity.milliCPU(text) == milli) }

    @Test(arguments: ["", "-1", "0", "x", "1.0005", "nan", "1e9", "0m"])
    func refusesOtherCPU(text: String) {
        #expect(throws: CommandFailure.self) { try Quantity.milliCPU(text) }
    }

    @Test(arguments: [
        ("4GiB", 4096), ("512MiB", 512), ("1.5GiB", 1536), ("2TiB", 2_097_152), ("64", 64), ("1G", 1024),
    ])
    func readsMemory(text: String, mebibytes: Int) throws {
        #expect(try Quantity.memoryMiB(text) == mebibytes)
    }

    @Test(arguments: ["", "GiB", "-4GiB", "0.3MiB", "4KB", "inf"])
    func refusesOtherMemory(text: String) {
        #expect(throws: CommandFailure.self) { try Quantity.memoryMiB(text) }
    }

    @Test func showsAmounts() {
        #expect([0, 500, 2000, 2125, 19_200_000].map(Quantity.cpu) == ["0", "0.5", "2", "2.12", "19200"])
        #expect(
            [0, 512, 4096, 1536, 58_982_400].map(Quantity.memory) == [
                "0MiB", "512MiB", "4GiB", "1.5GiB", "56.25TiB",
            ])
    }

    @Test(arguments: [
        ("30s", 30.0), ("5m", 300), ("1h30m", 5400), ("500ms", 0.5), ("2d", 172_800), ("45", 45), ("0", 0),
    ])
    func readsDurations(text: String, seconds: Double) throws {
        #expect(try DurationText.parse(text) == .seconds(seconds))
    }

    @Test(arguments: ["", "s", "5x", "-5s", "5m3", "m5"])
    func refusesOtherDurations(text: String) {
        #expect(throws: CommandFailure.self) { try DurationText.parse(text) }
    }

    @Test(arguments: [
        (-5, "0s"), (0, "0s"), (119, "119s"), (120, "2m"), (312, "5m12s"), (3599, "59m"), (7200, "2h"),
        (9000, "2h30m"), (172_800, "2d"), (270_000, "3d3h"),
    ])
    func showsDurations(seconds: Int, text: String) {
        #expect(DurationText.short(.seconds(seconds)) == text)
    }
}
