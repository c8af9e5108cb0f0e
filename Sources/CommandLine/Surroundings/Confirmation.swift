/// Asks before something that cannot be taken back.
enum Confirmation {
    /// - Parameters:
    ///   - yes: the answer was given on the command line.
    ///   - flag: how to give it there.
    /// - Throws: ``CommandFailure`` with status 5 unless the answer is yes.
    static func ask(_ question: String, yes: Bool, flag: String, _ surroundings: Surroundings) throws {
        if yes { return }
        guard surroundings.console.errorIsTerminal else {
            throw CommandFailure("nobody can be asked; give \(flag)", status: .refused)
        }
        surroundings.console.writeError("\(Printable.clean(question)) [y/N] ")
        let answer = surroundings.readLine()?.lowercased()
        guard answer == "y" || answer == "yes" else { throw CommandFailure("not done", status: .refused) }
    }
}
