internal import ArgumentParser
internal import Client

struct HostUndrainCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "undrain", abstract: "Takes a drain back.",
        discussion:
            "What has moved stays where it is; the rest goes on here. A host that was cordoned stays so.")

    @OptionGroup var edit: HostEditOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        try await edit.perform(.undrain, in: surroundings)
    }
}
