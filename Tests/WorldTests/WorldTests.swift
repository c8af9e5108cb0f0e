import Testing
import World

@Suite struct WorldTests {
    @Test func aQuietHourIsWell() async throws {
        var configuration = WorldConfiguration(seed: 1, duration: .seconds(3600))
        configuration.faults = .init()
        let report = try await World.run(configuration)
        #expect(report.violations.isEmpty)
    }
}
