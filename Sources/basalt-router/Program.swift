internal import ProgramShell
internal import Settings

@main
enum Program {
    static func main() async { await SettledProgram<RouterSetting>.main(BasaltRouter.self) }
}
