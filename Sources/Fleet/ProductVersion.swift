/// The version that every executable answers.
public enum ProductVersion {
    public static let current = "0.1.0"
}
