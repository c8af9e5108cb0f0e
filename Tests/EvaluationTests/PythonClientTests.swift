import Foundation
import Testing

/// AIOpsLab's interface for Python, against the server as a process.
@Suite struct PythonClientTests {
    private static let python = ["/usr/bin/python3", "/usr/local/bin/python3"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    @Test(.enabled(if: python != nil, "python3 is missing"))
    func `the loops of AIOpsLab's clients run as they are`() async throws {
        let server = try await Server()
        defer { server.stop() }
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let process = Process()
        process.executableURL = URL(filePath: try #require(Self.python))
        process.arguments = [root.appending(path: "Clients/python/tests/dummy_loop.py").path]
        process.environment = [
            "PYTHONPATH": root.appending(path: "Clients/python").path, "BASALT_EVALUATION": server.address,
            "PYTHONDONTWRITEBYTECODE": "1",
        ]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let said = try await Task.detached { try output.fileHandleForReading.readToEnd() ?? Data() }.value
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(String(decoding: said, as: UTF8.self))")
    }
}
