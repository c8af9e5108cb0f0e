/// Names inside SQL text, where parameters are not allowed.
public enum PostgresIdentifier {
    /// The name in double quotes.
    public static func quoted(_ name: String) -> String {
        "\"" + name.replacing("\"", with: "\"\"") + "\""
    }
}
