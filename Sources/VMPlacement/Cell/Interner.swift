/// Gives values small numbers, so that hosts are compared by integers. Numbers are never given back: the
/// table is bounded by the distinct values that the cell has seen.
struct Interner<Value: Hashable & Sendable>: Sendable {
    private var numbers: [Value: Int32] = [:]
    private(set) var values: [Value] = []

    var count: Int { values.count }

    /// Number of `value`, or nil when it was never seen.
    func number(of value: Value) -> Int32? { numbers[value] }

    mutating func intern(_ value: Value) -> Int32 {
        if let number = numbers[value] { return number }
        let number = Int32(values.count)
        numbers[value] = number
        values.append(value)
        return number
    }

    subscript(number: Int32) -> Value { values[Int(number)] }
}
