import Foundation
import Testing

/// The rooms of the package: who may import whom is a checked-in list, compared with what is found.
@Suite struct ImportTests {
    @Test func `imports are those that are allowed, and every allowed one is used`() throws {
        let tree = try SourceTree()
        let list = tree.root.appending(path: "Tests/ArchitectureTests/allowed-imports.txt")
        var allowed: [String: Set<String>] = [:]
        for line in try String(contentsOf: list, encoding: .utf8).split(separator: "\n")
        where !line.hasPrefix("#") {
            let sides = line.split(separator: ":", maxSplits: 1)
            let module = String(try #require(sides.first))
            allowed[module] = Set((sides.dropFirst().first ?? "").split(separator: " ").map(String.init))
        }
        let found = tree.imports
        for module in Set(found.keys).union(allowed.keys).sorted() {
            let extra = (found[module] ?? []).subtracting(allowed[module] ?? []).sorted()
            let unused = (allowed[module] ?? []).subtracting(found[module] ?? []).sorted()
            #expect(extra.isEmpty, "\(module) imports what it may not")
            #expect(unused.isEmpty, "\(module) may import what it does not: take it off the list")
        }
    }

    @Test func `engines and values reach no network, database or log`() throws {
        let imports = try SourceTree().imports
        let forbidden: Set = [
            "NIOCore", "NIOPosix", "NIOSSL", "NIOHTTP1", "AsyncHTTPClient", "Hummingbird", "PostgresClient",
            "CLibPQ",
            "Store", "Logging", "FoundationNetworking",
        ]
        for module in ["Fleet", "Oversubscription", "TrainingScheduling", "VMPlacement", "Replay"] {
            #expect((imports[module] ?? []).isDisjoint(with: forbidden), "\(module) must stay pure")
        }
    }

    @Test func `what runs outside the control plane never reaches the store`() throws {
        let imports = try SourceTree().imports
        for module in [
            "NodeAgent", "Client", "CommandLine", "ServingRouter", "basalt", "basalt-agent", "basalt-router",
        ] {
            var reached: Set<String> = []
            var open = [module]
            while let next = open.popLast() {
                for name in imports[next] ?? [] where reached.insert(name).inserted { open.append(name) }
            }
            #expect(
                reached.isDisjoint(with: ["Store", "PostgresClient", "CLibPQ", "Control"]),
                "through \(module)")
        }
    }

    @Test(arguments: [
        ("import Foundation", "Foundation"), ("public import struct Foundation.UUID", "Foundation"),
        ("@preconcurrency internal import NIOCore", "NIOCore"), ("let important = 1", nil),
        ("// import Foundation", nil),
    ])
    func `an import is found in a line`(line: String, module: String?) {
        #expect(SourceTree.imported(line) == module)
    }
}
