internal import Foundation

/// What a line of the kernel's log says about GPUs.
public enum KernelLogEvent: Sendable, Hashable {
    /// - address: of the PCI bus, such as `0000:3b:00`.
    case xid(code: Int, address: String, text: String)
    /// The driver was loaded: every device was initialised.
    case driverLoaded

    /// What a line is.
    public enum Reading: Sendable, Hashable {
        case event(KernelLogEvent)
        /// Of somebody else.
        case other
        /// It says that it is an XID, and is none.
        case malformed
    }

    /// Longest line that is looked at, bytes: the kernel's own are below 1 KiB.
    public static let lineLimit = 8192

    /// - Parameter line: without the kernel's prefix, as `dmesg -t` shows it; what stands before `NVRM:` is
    ///   passed over.
    public static func read(_ line: String) -> Reading {
        guard line.utf8.count <= lineLimit, let start = line.range(of: "NVRM: ") else { return .other }
        let text = line[start.upperBound...]
        if text.hasPrefix("loading NVIDIA") { return .event(.driverLoaded) }
        guard text.hasPrefix("Xid") else { return .other }
        guard let open = text.range(of: "(PCI:"), let close = text[open.upperBound...].range(of: "):") else {
            return .malformed
        }
        let address = text[open.upperBound..<close.lowerBound]
        let rest = text[close.upperBound...].drop { $0 == " " }
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        guard !address.isEmpty, let code = Int(digits), code > 0, code <= codeLimit else {
            return .malformed
        }
        let words = rest.dropFirst(digits.count).drop { $0 == "," || $0 == " " }
        return .event(.xid(code: code, address: Self.address(String(address)), text: String(words)))
    }

    /// Far above the codes that there are, so that a number of something else is none.
    private static let codeLimit = 10_000

    /// Domain of four digits, lower case, without the function: `00000000:3B:00.0` and `0000:3b:00` are one.
    public static func address(_ text: String) -> String {
        var parts = text.lowercased().split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3 else { return text.lowercased() }
        if parts[0].count == 8, parts[0].hasPrefix("0000") { parts[0] = String(parts[0].dropFirst(4)) }
        if let dot = parts[2].firstIndex(of: ".") { parts[2] = String(parts[2][..<dot]) }
        return parts.joined(separator: ":")
    }

    /// What XID 154 says that the device needs now: its text ends in `to 0x1 (GPU Reset Required)`.
    static func recovery(_ text: String) -> Recovery? {
        guard let range = text.range(of: " to 0x", options: .backwards) else { return nil }
        switch text[range.upperBound...].prefix(while: { $0.isHexDigit }) {
        case "0": return Recovery.none
        case "1", "4": return .resetDevice
        case "2": return .restartHost
        case "3": return .inspectHost
        default: return nil
        }
    }

    enum Recovery { case none, inspectHost, resetDevice, restartHost }
}
