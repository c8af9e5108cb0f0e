internal import Fleet
internal import ArgumentParser

struct CompletionCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "completion", abstract: "Writes a completion script for a shell.",
        discussion: "Example: basalt completion bash > ~/.local/share/bash-completion/completions/basalt")

    @Argument(help: "bash, zsh or fish.") var shell: String

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let shells = ["bash", "zsh", "fish"]
        guard shells.contains(shell), let chosen = CompletionShell(rawValue: shell) else {
            throw CommandFailure(NearestChoice.refusal("shell", shell, among: shells))
        }
        surroundings.console.write(Basalt.completionScript(for: chosen) + "\n")
        return .done
    }
}
