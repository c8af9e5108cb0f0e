internal import ArgumentParser
internal import Client

struct HostUncordonCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "uncordon", abstract: "Takes workloads again.")

    @OptionGroup var edit: HostEditOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        try await edit.perform(.uncordon, in: surroundings)
    }
}
