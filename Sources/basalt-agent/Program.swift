internal import ProgramShell
internal import Settings

@main
enum Program {
    static func main() async { await SettledProgram<AgentSetting>.main(BasaltAgent.self) }
}
