import CSQLite
import Fleet
import Foundation
import Replay
import Testing
import VMPlacement

@Suite struct ImporterTests {
    private func convert(_ format: TraceFormat, _ text: String) throws -> TraceImporter.Outcome {
        try TraceImporter(format: format, machine: HostShape(parsing: "64x192"))
            .read(.bytes(Array(text.utf8), name: "p.csv"))
    }

    /// Rows made up in the published layouts.
    @Test func azuresTableHasNoHeaderAndBuckets() throws {
        let rows = """
            v1,sub,dep1,300,600,91.7,0.7,20.8,Delay-insensitive,4,32
            v2,sub,dep2,0,2591700,91.7,0.7,20.8,Unknown,>24,>64
            v3,oth,dep1,600,600,1,1,1,Interactive,2,4

            """
        let outcome = try convert(.azureV2, rows)
        #expect(
            outcome.text == """
                arrive_s,depart_s,vcpu,mem_gb,batch_id,project,category,censored
                0,2591700,32,128,1,sub,Unknown,1
                300,600,4,32,0,sub,Delay-insensitive,0
                600,600,2,4,0,oth,Interactive,0

                """)
        #expect(outcome.vms == 3 && outcome.censored == 1 && outcome.leftOut == 0)
        #expect(try convert(.azureV1, rows) == outcome)
    }

    @Test func sharesAreThoseOfAMachineAndTimesAreDays() throws {
        let outcome = try convert(
            .azurePacking2020,
            """
            vmId,tenantId,priority,starttime,endtime,core,memory
            1,7,0,-1.5,0.5,0.125,0.25
            2,7,1,1,,0.5,0.5
            3,8,1,1.25,NULL,0.0078125,0.01
            """)
        #expect(
            outcome.text == """
                arrive_s,depart_s,vcpu,mem_gb,project,priority,censored
                0,43200,8,48,7,0,0
                86400,108000,32,96,7,1,1
                108000,108000,0.5,1.92,8,1,1

                """)
    }

    /// The published schema, with two machines of which the second can run every type.
    private static let packing = """
        CREATE TABLE vmType (id INTEGER, vmTypeId INTEGER, machineId INTEGER, core REAL, memory REAL, hdd REAL,
            ssd REAL, nic REAL);
        CREATE TABLE vm (vmId INTEGER, tenantId INTEGER, vmTypeId INTEGER, priority INTEGER, starttime REAL,
            endtime REAL);
        INSERT INTO vmType VALUES (1, 10, 0, 0.5, 0.5, 0, 0, 0), (2, 10, 16, 0.125, 0.25, 0, 0, 0),
            (3, 11, 16, 0.25, 0.125, 0, 0, 0);
        INSERT INTO vm VALUES (3, 8, 11, 1, 1.25, NULL), (1, 7, 10, 0, -1.5, 0.5), (2, 7, 10, 1, 1, 2);
        """

    private func database(_ name: String, _ sql: String) throws -> TraceSource {
        let url = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).\(name)")
        var handle: OpaquePointer?
        try #require(sqlite3_open(url.path, &handle) == SQLITE_OK)
        defer { sqlite3_close(handle) }
        try #require(sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK)
        return .file(path: url.path)
    }

    private func remove(_ source: TraceSource) throws {
        guard case .file(let path) = source else { return }
        try FileManager.default.removeItem(atPath: path)
    }

    @Test func aDatabaseIsReadAsItIsPublished() throws {
        let source = try database("sqlite", Self.packing)
        defer { #expect(throws: Never.self) { try remove(source) } }
        let shape = try HostShape(parsing: "64x192")
        let all = try TraceImporter(format: .azurePacking2020, machine: shape).read(source)
        #expect(
            all.text == """
                arrive_s,depart_s,vcpu,mem_gb,project,priority,censored
                0,43200,8,48,7,0,0
                86400,172800,8,48,7,1,0
                108000,172800,16,24,8,1,1

                """)
        #expect(all.vms == 3 && all.censored == 1 && all.leftOut == 0)
        let other = try TraceImporter(format: .azurePacking2020, machine: shape, machineID: 0).read(source)
        #expect(other.vms == 2 && other.leftOut == 1 && other.text.contains("\n0,43200,32,96,7,0,0\n"))
        let error = #expect(throws: TraceError.self) {
            try TraceImporter(format: .huawei, machine: shape).read(source)
        }
        #expect(error?.code == .unreadable)
    }

    @Test(arguments: [
        ("CREATE TABLE vm (vmId INTEGER)", TraceError.Code.unreadable, "no such table: vmType" as String?),
        ("CREATE TABLE vmType (vmTypeId INTEGER, machineId INTEGER)", .empty, nil),
        (packing + "UPDATE vm SET starttime = 'soon' WHERE vmId = 2", .badValue, nil),
        (packing + "DELETE FROM vm", .empty, nil),
    ])
    func aDatabaseThatIsNoTraceIsRefused(sql: String, code: TraceError.Code, cause: String?) throws {
        let source = try database("sqlite", sql)
        defer { #expect(throws: Never.self) { try remove(source) } }
        let importer = TraceImporter(format: .azurePacking2020, machine: try HostShape(parsing: "64x192"))
        let error = #expect(throws: TraceError.self) { try importer.read(source) }
        #expect(error?.code == code && error?.cause == cause, "\(error?.description ?? "")")
    }

    @Test func creationsAndDeletionsArePaired() throws {
        let outcome = try convert(
            .huawei, "vmid,cpu,memory,time,type\n1,2,4,10,0\n9,1,1,11,1\n2,1,2,20,0\n1,2,4,50,1\n1,2,4,60,0\n"
        )
        #expect(
            outcome.text == """
                arrive_s,depart_s,vcpu,mem_gb,censored
                10,50,2,4,0
                20,60,1,2,1
                60,60,2,4,1

                """)
        #expect(outcome.leftOut == 1 && outcome.censored == 2)
    }

    @Test func podsKeepWhatTheyAreMadeFor() throws {
        let outcome = try convert(
            .openb,
            """
            name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time
            a,12000,16384,1,1000,,LS,Running,5,100,5
            b,0,1,0,0,,BE,Failed,6,7,
            """)
        #expect(
            outcome.text
                == "arrive_s,depart_s,vcpu,mem_gb,gpu,gpu_milli,qos,censored\n5,100,12,16,1,1000,LS,0\n")
        #expect(outcome.leftOut == 1)
    }

    @Test func instancesThatWereThereBeforeAreLeftOut() throws {
        let header =
            "instance_sn,role,app_name,cpu_request,cpu_limit,gpu_request,gpu_limit,rdma_request,rdma_limit,"
            + "memory_request,memory_limit,disk_request,disk_limit,max_instance_per_node,creation_time,"
            + "scheduled_time,deletion_time\n"
        let outcome = try convert(
            .dlrm,
            header + "i0,HN,app_0,12,12,1,1,25,25,120.0,120.0,640.0,800.0,8,,,\n"
                + "i1,CN,app_1,8,8,0,0,1,1,16.5,16.5,10.0,10.0,-1,475.0,475.0,\n")
        #expect(outcome.vms == 1 && outcome.leftOut == 1 && outcome.censored == 1)
        #expect(outcome.text.hasSuffix("\n475,475,8,16.5,app_1,CN,0,1,10.0,-1,1\n"))
    }

    @Test(arguments: [
        (TraceFormat.huawei, "vmid,cpu,memory,time,type\n1,2,4,10,2\n", "p.csv, line 2, column type"),
        (.huawei, "vmid,cpu,memory,time,type\n1,2,4,10,0\n1,2,4,11,0\n", "p.csv, line 3, column vmid"),
        (.huawei, "vmid,cpu,memory,time\n", "p.csv, line 1, column type"),
        (.azureV1, "v1,sub,dep,300\n", "p.csv, line 1, column deleted"),
        (.azureV1, "v1,s,d,x,600,1,1,1,c,4,32\n", "p.csv, line 1, column created"), (.openb, "", "p.csv"),
    ])
    func aDefectIsNamed(format: TraceFormat, text: String, place: String) {
        let error = #expect(throws: TraceError.self) { try convert(format, text) }
        #expect(error?.description.hasPrefix(place + ": ") == true, "\(error?.description ?? "")")
    }

    /// What is written is read, and the columns asked for come with it.
    @Test func theNativeTraceKeepsItsColumns() throws {
        let text = "arrive_s,depart_s,vcpu,mem_gb,project,role,censored\n0,9,1,1,\"a,b\",CN,0\n1,5,1,1,,,1\n"
        let reader = VMTraceReader(columns: ["Project", "role", "censored", "absent"])
        let trace = try reader.read(.bytes(Array(text.utf8), name: "n.csv"))
        #expect(trace.columns.map(\.name) == ["project", "role", "censored"])
        #expect(trace.features(0).project == "a,b" && trace.features(0).attributes == ["role": "CN"])
        #expect(trace.features(1).project == "" && trace.features(1).attributes == [:])
        #expect(trace.observation(0).hasEnded && !trace.observation(1).hasEnded)
    }
}
