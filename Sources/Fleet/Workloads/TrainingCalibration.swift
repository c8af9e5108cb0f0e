/// What measured steps changed of what a job's speed is predicted by.
public struct TrainingCalibration: Sendable, Hashable, Codable {
    /// Measured over predicted time of a step, all shapes alike.
    public var scale: Double
    /// Shapes that were measured.
    public var shapes: Int
    /// What was fitted: `scale`, and parameters of the model as far as the shapes can tell them apart.
    public var fitted: [String]
    /// Median of the relative errors over the shapes, before and after.
    public var errorBefore: Double
    public var errorAfter: Double

    public init(scale: Double, shapes: Int, fitted: [String], errorBefore: Double, errorAfter: Double) {
        self.scale = scale
        self.shapes = shapes
        self.fitted = fitted
        self.errorBefore = errorBefore
        self.errorAfter = errorAfter
    }
}
