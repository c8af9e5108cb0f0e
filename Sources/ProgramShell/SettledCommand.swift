public import ArgumentParser
internal import Foundation
public import Settings

/// A subcommand of a program with settings; it is given those that stood among the arguments.
public protocol SettledCommand<Key>: ParsableCommand {
    associatedtype Key: SettingKey

    /// - Throws: `SettingsError`, shown line by line; anything else as `ArgumentParser` shows it.
    func run(_ flags: SettingFlags<Key>) async throws
}

extension SettledCommand {
    /// The settings in force.
    /// - Throws: `SettingsError`.
    public func settings(
        _ flags: SettingFlags<Key>, fallbacks: [Key: String] = [:]
    ) throws -> EffectiveSettings<Key> {
        try EffectiveSettings.load(
            flags, environment: ProcessInfo.processInfo.environment, fallbacks: fallbacks)
    }
}

/// Where answers to a person or a pipe go.
public enum StandardOutput {
    public static func write(_ text: String) throws {
        try FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
    }
}
