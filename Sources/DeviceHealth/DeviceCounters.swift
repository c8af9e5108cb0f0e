internal import Fleet

/// What a device counts about itself. Nil where it does not tell.
public struct DeviceCounters: Sendable, Hashable, Codable {
    public var uuid: String
    /// It has an identity and answers nothing else.
    public var isLost: Bool?
    /// Memory errors since the driver was loaded.
    public var uncorrectedErrors: Int?
    public var correctedErrors: Int?
    /// Rows that are remapped for errors that were not corrected.
    public var remappedRows: Int?
    public var isRemapPending: Bool?
    public var hasRemapFailed: Bool?
    /// Pages that are retired with the next load of the driver, on devices that remap no rows.
    public var isRetirementPending: Bool?
    /// Links that are up.
    public var activeLinks: Int?
    /// Replays, recoveries and bad checksums of all links.
    public var linkErrors: Int?
    /// Nanoseconds for which clocks were held down, since the driver was loaded.
    public var thermalNanoseconds: Int?
    public var powerNanoseconds: Int?

    public init(
        uuid: String, isLost: Bool? = nil, uncorrectedErrors: Int? = nil, correctedErrors: Int? = nil,
        remappedRows: Int? = nil, isRemapPending: Bool? = nil, hasRemapFailed: Bool? = nil,
        isRetirementPending: Bool? = nil, activeLinks: Int? = nil, linkErrors: Int? = nil,
        thermalNanoseconds: Int? = nil, powerNanoseconds: Int? = nil
    ) {
        self.uuid = uuid
        self.isLost = isLost
        self.uncorrectedErrors = uncorrectedErrors
        self.correctedErrors = correctedErrors
        self.remappedRows = remappedRows
        self.isRemapPending = isRemapPending
        self.hasRemapFailed = hasRemapFailed
        self.isRetirementPending = isRetirementPending
        self.activeLinks = activeLinks
        self.linkErrors = linkErrors
        self.thermalNanoseconds = thermalNanoseconds
        self.powerNanoseconds = powerNanoseconds
    }
}

/// What counters say, against what they said at the beginning of a window.
struct CounterWindow: Sendable, Hashable, Codable {
    var base: DeviceCounters
    var baseAt: Timestamp
    var last: DeviceCounters
    var lastAt: Timestamp
    /// Most links that were up since the driver was loaded.
    var mostLinks: Int?

    init(_ sample: DeviceCounters, at now: Timestamp) {
        (base, baseAt, last, lastAt, mostLinks) = (sample, now, sample, now, sample.activeLinks)
    }

    /// A counter that went down was begun anew.
    mutating func take(_ sample: DeviceCounters, at now: Timestamp, rules: HealthRules) {
        let restarted = [
            (last.correctedErrors, sample.correctedErrors), (last.linkErrors, sample.linkErrors),
            (last.thermalNanoseconds, sample.thermalNanoseconds),
            (last.powerNanoseconds, sample.powerNanoseconds),
        ].contains { before, after in (after ?? 0) < (before ?? 0) }
        if restarted {
            self = CounterWindow(sample, at: now)
            return
        }
        if now.since(baseAt) > rules.counterWindow || now < baseAt { (base, baseAt) = (last, lastAt) }
        (last, lastAt) = (sample, now)
        mostLinks = [mostLinks, sample.activeLinks].compactMap { $0 }.max()
    }

    /// What follows now, by the name of the counter.
    func findings(_ rules: HealthRules) -> [(name: String, action: DeviceVerdict.Action, text: String)] {
        var found: [(String, DeviceVerdict.Action, String)] = []
        func add(_ holds: Bool?, _ name: String, _ action: DeviceVerdict.Action, _ text: String) {
            if holds == true { found.append((name, action, text)) }
        }
        add(last.isLost, "lost", .restartHost, "the device does not answer on its bus")
        add(last.hasRemapFailed, "remapFailed", .repairHost, "a row of memory could not be remapped")
        add(last.isRemapPending, "remapPending", .resetDevice, "rows of memory are remapped at a reset")
        add(last.isRetirementPending, "retirement", .resetDevice, "pages of memory are retired at a reset")
        let uncorrected = last.uncorrectedErrors ?? 0
        add(
            uncorrected > 0, "uncorrected", .resetDevice, "\(uncorrected) memory errors were not corrected")
        let corrected = growth(\.correctedErrors)
        add(
            corrected >= rules.correctedErrors, "corrected", .investigate,
            "\(corrected) corrected memory errors within the hour")
        let links = growth(\.linkErrors)
        add(links >= rules.linkErrors, "links", .inspectHost, "\(links) errors of NVLinks within the hour")
        if let up = last.activeLinks, let most = mostLinks {
            add(up < most, "linkDown", .resetDevice, "\(most - up) of \(most) NVLinks are down")
        }
        for (name, key, word) in [
            ("thermal", \DeviceCounters.thermalNanoseconds, "heat"), ("power", \.powerNanoseconds, "power"),
        ] {
            let span = lastAt.since(baseAt)
            let share = span > .zero ? Double(growth(key)) / 1e9 / span.inSeconds : 0
            add(
                span >= rules.violationAtLeast && share >= rules.violationShare, name, .inspectHost,
                "clocks are held down by \(word)")
        }
        return found
    }

    private func growth(_ key: KeyPath<DeviceCounters, Int?>) -> Int {
        guard let before = base[keyPath: key], let after = last[keyPath: key] else { return 0 }
        return max(0, after - before)
    }
}
