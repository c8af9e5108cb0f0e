import Client
import FaultInjection
import FaultLab
import Foundation
import Testing

extension Deployment {
    /// Starts an injector of these targets and waits until it may be given faults.
    @discardableResult
    func startInjector(_ name: String, _ targets: [TargetFile.Entry]) async throws -> ChildProgram {
        let file = directory.appending(path: "\(name).targets.json")
        try JSONEncoder().encode(TargetFile(targets: targets)).write(to: file)
        let program = try start(
            name, "basalt-injector",
            [
                "run", "--state-directory", injectorState(name), "--targets", file.path, "--name", name,
                "--server", addresses, "--ca", authority, "--token-file", tokenFile,
            ])
        try await eventually("injector \(name) is there") {
            try await self.client().faultInjectors().contains { $0.name == name && $0.isPresent }
        }
        return program
    }

    func injectorState(_ name: String) -> String { directory.appending(path: "injector-\(name)").path }

    /// Ends what injectors started beyond this process's children.
    func endInjections() {
        LocalProcesses.end(mentioning: directory.path)
    }
}

extension ChildProgram {
    /// As the kernel has it; nil when the process is gone.
    var state: Character? {
        guard let data = FileManager.default.contents(atPath: "/proc/\(processID)/stat") else { return nil }
        let text = String(decoding: data, as: UTF8.self)
        return text.lastIndex(of: ")").flatMap { text[$0...].dropFirst(2).first }
    }
}
