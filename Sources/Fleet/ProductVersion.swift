/// The version that every executable answers.
public enum ProductVersion {
    public static let current = "0.1.0"

    /// How the program was built: with checks of overflow and of preconditions either way.
    public static let build: String = {
        #if DEBUG
            "debug"
        #else
            "release"
        #endif
    }()

    /// `0.1.0 (release)`, for people.
    public static var description: String { "\(current) (\(build))" }
}
