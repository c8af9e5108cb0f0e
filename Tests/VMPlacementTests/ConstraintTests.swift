import Fleet
import Testing
import VMPlacement

@Suite struct ConstraintTests {
    @Test func hostsThatRefuseEveryVMAreLeftOut() {
        var suspect = makeHost(1)
        suspect.contact = .suspect
        var cordoned = makeHost(2)
        cordoned.isSchedulable = false
        var training = makeHost(3, pool: "training")
        training.poolAdmitsVMs = false
        let cell = PlacementCell([suspect, cordoned, training, makeHost(4)])
        #expect(cell.hostName(for: makeRequest(), .firstFit) == "h-4")
        #expect(
            cell.explain(makeRequest(), policy: .firstFit).rejected == [
                .init(reason: .hostNotReady, hosts: 1), .init(reason: .hostCordoned, hosts: 1),
                .init(reason: .poolMismatch, hosts: 1),
            ])
    }

    @Test func aNamedPoolIsTheOnlyOne() {
        let cell = PlacementCell([makeHost(1), makeHost(2, pool: "big")])
        var request = makeRequest()
        request.pool = "big"
        #expect(cell.hostName(for: request) == "h-2")
        request.pool = "unheard-of"
        #expect(cell.hostName(for: request) == nil)
    }

    @Test func everySelectedLabelMustMatch() {
        let cell = PlacementCell([
            makeHost(1, labels: ["disk": "hdd"]), makeHost(2, labels: ["disk": "nvme", "cpu": "amd"]),
        ])
        var request = makeRequest()
        request.hostSelector = ["disk": "nvme", "cpu": "amd"]
        #expect(cell.hostName(for: request) == "h-2")
        request.hostSelector["cpu"] = "intel"
        #expect(cell.hostName(for: request) == nil)
    }

    @Test func sharedCPUFillsUpToTheRatioAndGuaranteedCPUDoesNot() {
        var host = makeHost(1, vCPU: 10)
        host.cpuRatioPerMille = 1500
        var cell = PlacementCell([host])
        var shared = makeRequest(vCPU: 15, gibibytes: 1)
        #expect(cell.hostName(for: shared) == "h-1")
        var guaranteed = shared
        guaranteed.class = .guaranteed
        #expect(cell.hostName(for: guaranteed) == nil)
        guaranteed.resources.milliCPU = 4001
        cell.add(makeAllocation(1, of: guaranteed, on: 1))
        // ⌊5999 · 1.5⌋ is 8998: one milli-vCPU more would round up past the host.
        shared.resources.milliCPU = 8998
        #expect(cell.hostName(for: shared) == "h-1")
        shared.resources.milliCPU = 8999
        #expect(cell.hostName(for: shared) == nil)
    }

    @Test func anOverfullHostRefusesEvenTheSmallest() {
        var cell = PlacementCell([makeHost(1, vCPU: 8)])
        cell.add(makeAllocation(1, of: makeRequest(vCPU: 12), on: 1))
        var request = makeRequest()
        request.resources = Resources(milliCPU: 1, memoryMiB: 1)
        #expect(cell.hostName(for: request) == nil)
        request.class = .guaranteed
        #expect(cell.hostName(for: request) == nil)
    }

    @Test(arguments: AntiAffinity.Scope.allCases)
    func membersOfAGroupKeepApart(scope: AntiAffinity.Scope) {
        let hosts = [
            makeHost(1, rack: "a", zone: "z1"), makeHost(2, rack: "a", zone: "z1"),
            makeHost(3, rack: "b", zone: "z1"), makeHost(4, rack: "a", zone: "z2"),
        ]
        var member = makeRequest()
        member.antiAffinity = AntiAffinity(group: "db", scope: scope)
        var cell = PlacementCell(hosts, [makeAllocation(1, of: member, on: 1)])
        let expected: [AntiAffinity.Scope: String] = [.host: "h-2", .rack: "h-3", .zone: "h-4"]
        #expect(cell.hostName(for: member, .firstFit) == expected[scope])
        var stranger = member
        stranger.workload.project = "other"
        #expect(cell.hostName(for: stranger, .firstFit) == "h-1")
        cell.remove(allocation: allocationID(1))
        #expect(cell.hostName(for: member, .firstFit) == "h-1")
    }

    @Test func aMemberThatKeepsARackKeepsOutNewcomersThatMindTheHostOnly() {
        var member = makeRequest(1)
        member.antiAffinity = AntiAffinity(group: "db", scope: .rack)
        let cell = PlacementCell(
            [makeHost(1, rack: "a"), makeHost(2, rack: "a"), makeHost(3, rack: "b")],
            [makeAllocation(1, of: member, on: 1)])
        var newcomer = makeRequest(2)
        newcomer.antiAffinity = AntiAffinity(group: "db", scope: .host)
        #expect(cell.hostName(for: newcomer, .firstFit) == "h-3")
    }
}
