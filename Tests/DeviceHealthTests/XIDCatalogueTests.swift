import Fleet
import Testing

@testable import DeviceHealth

@Suite struct XIDCatalogueTests {
    private let catalogue = XIDCatalogue()

    @Test func `every code of the catalogue is read`() {
        #expect(catalogue.entries.count == 172)
        #expect(catalogue.entries.keys.sorted() == Array(1...172))
        #expect(catalogue.entries[79]?.description == "GPU has fallen off the bus")
        #expect(XIDCatalogue(text: "# nothing\n1\tA\tB\n\nx\ta\tb\tc\td\n").entries.isEmpty)
    }

    /// NVIDIA's buckets and what becomes of them: a bucket that nobody thought of fails here.
    @Test func `every bucket leads where NVIDIA says`() throws {
        var actions: [String: Set<String>] = [:]
        for code in catalogue.entries.keys.sorted() where XIDTreatment.exceptions[code] == nil {
            let entry = try #require(catalogue.entries[code])
            let word =
                switch catalogue.treatment(of: code) {
                case .counted: "counted"
                case .recoveryAction: "recovery"
                case .finding(let action, _): action.rawValue
                }
            actions[entry.immediate, default: []].insert(word)
        }
        #expect(
            actions == [
                "": ["investigate"], "CHECK_UVM": ["investigate"],
                "CONTACT_SUPPORT": ["investigate", "repairHost"], "IGNORE": ["counted", "investigate"],
                "RESET_GPU": ["resetDevice"], "RESTART_APP": ["restartWorkload"],
                "RESTART_BM": ["restartHost"], "RESTART_VM": ["restartWorkload"],
                "WORKFLOW_NVLINK5_ERR": ["resetDevice"], "WORKFLOW_NVLINK_ERR": ["resetDevice"],
                "WORKFLOW_XID_48": ["resetDevice"], "XID_154": ["recovery"],
            ])
        // Codes that no driver uses never take a device away.
        for entry in catalogue.entries.values where entry.description == "Unused" {
            let treatment = catalogue.treatment(of: entry.code)
            #expect(treatment == .counted || treatment == .finding(.investigate, .never), "\(entry.code)")
        }
    }

    @Test func `what tenants can cause never takes a device away`() {
        for code in [11, 13, 25, 31, 32, 60, 69, 80] {
            #expect(catalogue.treatment(of: code) == .finding(.restartWorkload, .never), "\(code)")
        }
        #expect(catalogue.treatment(of: 43) == .finding(.investigate, .never))
        #expect(catalogue.treatment(of: 45) == .counted)
    }

    @Test func `the codes that operators know`() {
        #expect(catalogue.treatment(of: 48) == .finding(.resetDevice, .byRepeats))
        #expect(catalogue.treatment(of: 63) == .counted)
        #expect(catalogue.treatment(of: 64) == .finding(.repairHost, .never))
        #expect(catalogue.treatment(of: 74) == .finding(.resetDevice, .byRepeats))
        #expect(catalogue.treatment(of: 79) == .finding(.restartHost, .byRepeats))
        #expect(catalogue.treatment(of: 94) == .finding(.restartWorkload, .byRepeats))
        #expect(catalogue.treatment(of: 95) == .finding(.resetDevice, .byRepeats))
        #expect(catalogue.treatment(of: 119) == .finding(.resetDevice, .byRepeats))
        // A newer driver's.
        #expect(catalogue.treatment(of: 999) == .finding(.investigate, .never))
    }

    @Test(arguments: [
        (
            "NVRM: Xid (PCI:0000:3b:00): 79, pid=1234, GPU has fallen off the bus.",
            KernelLogEvent.xid(
                code: 79, address: "0000:3b:00", text: "pid=1234, GPU has fallen off the bus.")
        ),
        (
            "[ 12.5] NVRM: Xid (PCI:00000000:3B:00.0): 13",
            .xid(code: 13, address: "0000:3b:00", text: "")
        ),
        ("6,812,99,-;NVRM: Xid (PCI:GPU-ABC): 48, x", .xid(code: 48, address: "gpu-abc", text: "x")),
        ("NVRM: loading NVIDIA UNIX x86_64 Kernel Module  570.1", .driverLoaded),
    ])
    func `lines of the kernel`(line: String, event: KernelLogEvent) {
        #expect(KernelLogEvent.read(line) == .event(event))
    }

    @Test(arguments: [
        "NVRM: Xid (PCI:0000:3b:00): ", "NVRM: Xid (PCI:): 79", "NVRM: Xid (PCI:0000:3b:00: 79",
        "NVRM: Xid: 79", "NVRM: Xid (PCI:0000:3b:00): -1", "NVRM: Xid (PCI:0000:3b:00): 0",
        "NVRM: Xid (PCI:0000:3b:00): 99999999999999999999",
    ])
    func `a line that says XID and is none is malformed`(line: String) {
        #expect(KernelLogEvent.read(line) == .malformed)
    }

    @Test func `lines of others are passed over`() {
        for line in ["", "usb 1-1: new device", "NVRM: GPU at PCI:0000:3b:00", "Xid (PCI:0000:3b:00): 79"] {
            #expect(KernelLogEvent.read(line) == .other)
        }
        let long = "NVRM: Xid (PCI:0000:3b:00): 79, " + String(repeating: "x", count: 9000)
        #expect(KernelLogEvent.read(long) == .other)
    }
}
