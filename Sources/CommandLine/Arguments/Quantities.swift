internal import Foundation

/// Amounts as people write and read them.
enum Quantity {
    /// vCPUs to thousandths: `2`, `0.5`, `500m`.
    static func milliCPU(_ text: String) throws -> Int {
        if text.hasSuffix("m"), let value = Int(text.dropLast()), value > 0 { return value }
        if let value = Double(text), value > 0, value < 1e6, (value * 1000).rounded() == value * 1000 {
            return Int(value * 1000)
        }
        throw CommandFailure("\"\(text)\" is no number of vCPUs; write 2, 0.5 or 500m")
    }

    /// Memory to mebibytes: `4GiB`, `512MiB`, `1TiB`; a bare number is mebibytes.
    static func memoryMiB(_ text: String) throws -> Int {
        let units = [
            ("TiB", 1 << 20), ("GiB", 1 << 10), ("MiB", 1), ("T", 1 << 20), ("G", 1 << 10), ("M", 1),
        ]
        let unit = units.first { text.hasSuffix($0.0) } ?? ("", 1)
        let number = text.dropLast(unit.0.count)
        if let value = Double(number), value > 0, value < 1e9 {
            let mebibytes = value * Double(unit.1)
            if mebibytes.rounded() == mebibytes { return Int(mebibytes) }
        }
        throw CommandFailure("\"\(text)\" is no amount of memory; write 512MiB or 4GiB")
    }

    /// Thousandths as a decimal with three digits.
    static func thousandths(_ value: Int) -> String { String(format: "%.3f", Double(value) / 1000) }

    static func cpu(_ milli: Int) -> String { decimal(Double(milli) / 1000) }

    static func memory(_ mebibytes: Int) -> String {
        switch abs(mebibytes) {
        case (1 << 20)...: decimal(Double(mebibytes) / Double(1 << 20)) + "TiB"
        case (1 << 10)...: decimal(Double(mebibytes) / Double(1 << 10)) + "GiB"
        default: "\(mebibytes)MiB"
        }
    }

    static func percent(_ value: Double) -> String { String(format: "%.1f%%", value) }

    /// `used/all`, in the unit of all.
    static func cpu(_ used: Int, of all: Int) -> String {
        "\(short(Double(used) / 1000))/\(short(Double(all) / 1000))"
    }

    static func memory(_ used: Int, of all: Int) -> String {
        let (divisor, unit) =
            switch all {
            case (1 << 20)...: (Double(1 << 20), "TiB")
            case (1 << 10)...: (Double(1 << 10), "GiB")
            default: (1, "MiB")
            }
        return "\(short(Double(used) / divisor))/\(short(Double(all) / divisor))\(unit)"
    }

    /// One digit after the point below 100, none above.
    private static func short(_ value: Double) -> String {
        let text = String(format: value < 100 ? "%.1f" : "%.0f", value)
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    /// At most two digits after the point, without zeros at the end.
    private static func decimal(_ value: Double) -> String {
        var text = String(format: "%.2f", value)
        while text.hasSuffix("0") { text.removeLast() }
        if text.hasSuffix(".") { text.removeLast() }
        return text
    }
}
