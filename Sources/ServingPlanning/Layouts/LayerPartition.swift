/// How many layers each stage of a pipeline gets.
public enum LayerPartition {
    /// In proportion to speeds, up to caps; what a full stage cannot take goes to the others.
    ///
    /// - Parameters:
    ///   - layers: of the model.
    ///   - speeds: layers per second of each stage, above 0.
    ///   - caps: most layers of each stage.
    /// - Returns: one count per stage, at least 1 each; nil when the stages cannot hold all layers.
    public static func proportional(layers: Int, speeds: [Double], caps: [Int]) -> [Int]? {
        guard caps.allSatisfy({ $0 >= 1 }), caps.reduce(0, +) >= layers, speeds.count <= layers else {
            return nil
        }
        let shares = filled(Double(layers), speeds: speeds, caps: caps)
        var counts = shares.map { Int($0 + 1e-9) }
        for index in counts.indices where counts[index] == 0 { counts[index] = 1 }
        let rests = zip(shares, counts).map { $0 - Double($1) }
        var missing = layers - counts.reduce(0, +)
        let order = rests.indices.sorted { (-rests[$0], $0) < (-rests[$1], $1) }
        while missing > 0 {
            let before = missing
            for index in order where missing > 0 && counts[index] < caps[index] {
                counts[index] += 1
                missing -= 1
            }
            guard missing < before else { return nil }
        }
        while missing < 0 {
            // Ones that had been rounded up from 0 are taken from the largest.
            guard let index = counts.indices.max(by: { (counts[$0], -$0) < (counts[$1], -$1) }),
                counts[index] > 1
            else { return nil }
            counts[index] -= 1
            missing += 1
        }
        return counts
    }

    /// The shares before rounding: every stage at its speed, the full ones at their cap.
    private static func filled(_ total: Double, speeds: [Double], caps: [Int]) -> [Double] {
        var shares = [Double](repeating: 0, count: speeds.count)
        var isFull = [Bool](repeating: false, count: speeds.count)
        var rest = total
        while true {
            let speed = speeds.indices.reduce(0.0) { isFull[$1] ? $0 : $0 + speeds[$1] }
            guard speed > 0 else { return shares }
            var overflow = false
            for index in speeds.indices where !isFull[index] {
                shares[index] = rest * speeds[index] / speed
            }
            for index in speeds.indices where !isFull[index] && shares[index] > Double(caps[index]) {
                shares[index] = Double(caps[index])
                isFull[index] = true
                overflow = true
            }
            guard overflow else { return shares }
            rest = total
            for index in speeds.indices where isFull[index] { rest -= shares[index] }
        }
    }
}
