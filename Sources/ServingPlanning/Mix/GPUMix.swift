/// How many GPUs of each type serve a demand, and which type serves what.
public struct GPUMix: Sendable, Hashable, Codable {
    public struct Share: Sendable, Hashable, Codable {
        public var name: String
        public var count: Int
        /// Dollars per hour of one.
        public var price: Double
        /// GPUs' worth of work given to the type, at most `count`.
        public var load: Double
        /// Parts of each bucket that the type serves.
        public var slices: [Int]
    }

    /// In the order of the offers; those with no GPU as well.
    public var gpus: [Share]
    public var costPerHour: Double
    /// Dollars per hour below which no mix serves the demand.
    public var leastCost: Double
    /// Whether every cheaper mix was shown not to do. False when the search ended on its number of evaluations.
    public var isCheapest: Bool
    public var evaluations: Int
}
