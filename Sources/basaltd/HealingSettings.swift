internal import Control
internal import Fleet
internal import Store

/// Settings of healing, under `healing:` in the file; all may be absent.
struct HealingSettings: Codable, Equatable {
    /// Share of a failure domain that may be lost within a minute before a person is asked.
    var breakerFraction: Double?
    /// Share of a session's hosts, and how many, that must be missing from a hello not to be believed.
    var absenceFraction: Double?
    var absenceFewest: Int?
    /// A host that is lost so often within the window is cordoned.
    var flaps: Int?
    var flapWindowSeconds: Double?

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case breakerFraction, absenceFraction, absenceFewest, flaps, flapWindowSeconds
    }

    private struct AnyKey: CodingKey {
        let stringValue: String
        let intValue: Int? = nil
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { return nil }
    }

    init() {}

    init(from decoder: any Decoder) throws {
        let choices = CodingKeys.allCases.map(\.rawValue)
        for key in try decoder.container(keyedBy: AnyKey.self).allKeys.map(\.stringValue).sorted()
        where !choices.contains(key) {
            let nearest = NearestChoice.of(key, among: choices).map { "; did you mean \"\($0)\"?" } ?? ""
            throw SettingsError("healing: \"\(key)\" is not a setting\(nearest)")
        }
        let members = try decoder.container(keyedBy: CodingKeys.self)
        breakerFraction = try members.decodeIfPresent(Double.self, forKey: .breakerFraction)
        absenceFraction = try members.decodeIfPresent(Double.self, forKey: .absenceFraction)
        absenceFewest = try members.decodeIfPresent(Int.self, forKey: .absenceFewest)
        flaps = try members.decodeIfPresent(Int.self, forKey: .flaps)
        flapWindowSeconds = try members.decodeIfPresent(Double.self, forKey: .flapWindowSeconds)
        for (name, share) in [("breakerFraction", breakerFraction), ("absenceFraction", absenceFraction)] {
            if let share, !(0...1).contains(share) {
                throw SettingsError("healing.\(name) is \(share): outside 0 to 1")
            }
        }
        for (name, count) in [("absenceFewest", absenceFewest), ("flaps", flaps)] {
            if let count, count < 1 { throw SettingsError("healing.\(name) is \(count): below 1") }
        }
    }

    var absence: AbsenceGuard {
        AbsenceGuard(
            fraction: absenceFraction ?? AbsenceGuard.standard.fraction,
            fewest: absenceFewest ?? AbsenceGuard.standard.fewest)
    }

    func apply(to limits: inout CellLimits) {
        limits.breaker = breakerFraction ?? limits.breaker
        limits.flaps = flaps ?? limits.flaps
        limits.flapWindow = flapWindowSeconds.map { .seconds($0) } ?? limits.flapWindow
    }
}
