public import ArgumentParser
internal import Foundation
public import Settings

/// What every program with settings does around its commands: settings are taken out of the arguments, and
/// what is wrong with them is told, a line each.
public enum SettledProgram<Key: SettingKey> {
    public static func main(_ root: (some ParsableCommand).Type) async {
        do {
            let flags = try SettingFlags<Key>(Array(CommandLine.arguments.dropFirst()))
            try refuseUnknown(flags.rest, root)
            var parsed = try root.parseAsRoot(flags.rest)
            if let command = parsed as? any SettledCommand<Key> {
                try await command.run(flags)
            } else {
                try parsed.run()
            }
        } catch let error as SettingsError {
            let lines = error.lines.map { "\(Key.program): \($0)\n" }.joined()
            try? FileHandle.standardError.write(contentsOf: Data(lines.utf8))  // why: nobody is left to tell
            exit(1)
        } catch {
            root.exit(withError: error)
        }
    }

    /// A misspelt setting gets the nearest one; what it looks like to the parser does not matter then.
    private static func refuseUnknown<Root: ParsableCommand>(_ rest: [String], _ root: Root.Type) throws {
        do {
            _ = try root.parseAsRoot(rest)
        } catch  where root.message(for: error).hasPrefix("Unknown option") {
            let given = rest.filter { $0.hasPrefix("--") }.map { String($0.prefix { $0 != "=" }) }
            for flag in given where root.message(for: error).contains("'\(flag)'") {
                if let nearest = SettingFlags<Key>.nearest(to: flag) {
                    throw SettingsError("\(flag) is not a flag; did you mean \(nearest)?")
                }
            }
        } catch {
            // Said by the caller's own attempt.
        }
    }
}
