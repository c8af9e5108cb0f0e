import Fleet
import Replay
import Testing
import VMPlacement

@Suite struct ProjectHistoryTests {
    private func history(_ rows: String, _ names: [String]) throws -> [[String?]] {
        let reader = VMTraceReader(columns: ["project", "censored"])
        let text = "arrive_s,depart_s,vcpu,mem_gb,project,censored\n" + rows
        let trace = try reader.read(.bytes(Array(text.utf8), name: "h.csv")).addingHistory(names)
        return trace.columns.dropFirst(2).map { column in trace.vms.indices.map { column[$0] } }
    }

    @Test func onlyWhatHappenedBeforeAVMCameCounts() throws {
        let rows = "0,100,1,1,a,0\n50,1050,1,1,a,0\n60,70,1,1,b,0\n100,200,1,1,a,0\n2000,2001,1,1,a,0\n"
        let columns = try history(rows, ["running", "recent_lifetime", "batch", "project"])
        #expect(columns[0] == [nil, nil, nil, "2.0", "2.33"])
        #expect(columns[1] == ["0", "1", "0", "1", "0"])
        #expect(columns[2] == ["0", "1", "0", "2", "0"])
    }

    @Test func oneThatWasLostFromSightDidNotEnd() throws {
        let columns = try history(
            "0,100,1,1,a,1\n200,300,1,1,a,0\n7200,7300,1,1,a,0\n", ["latest_lifetime", "hour"])
        #expect(columns[0] == [nil, nil, "2.0"] && columns[1] == ["0", "0", "2"])
    }

    @Test func theLastOnesToEndAreRemembered() throws {
        let rows = (0..<60).map { "\($0),\($0 + ($0 < 55 ? 10 : 1000)),1,1,a,0\n" }.joined()
        let columns = try history(rows + "5000,5001,1,1,a,0\n", ["recent_lifetime", "latest_lifetime"])
        #expect(columns[0].last == "1.2" && columns[1].last == "3.0")
    }

    @Test func nothingAskedForChangesNothing() throws {
        #expect(try history("0,100,1,1,a,0\n", ["project"]).isEmpty)
    }
}
