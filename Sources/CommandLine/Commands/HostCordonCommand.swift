internal import ArgumentParser
internal import Client

struct HostCordonCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "cordon", abstract: "Takes no new workloads; what runs goes on.")

    @OptionGroup var edit: HostEditOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        try await edit.perform(.cordon, in: surroundings)
    }
}
