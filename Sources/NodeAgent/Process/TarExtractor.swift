internal import Foundation

/// Unpacks a tar archive into a new directory that nobody else writes to, and nowhere else.
///
/// Refused: names with `..` or from the root, links that leave the directory, names below a link, device
/// files and whatever else is not a file, a directory or a link. Owners, times and set-id bits are left out.
struct TarExtractor {
    enum Limit {
        /// Members, and bytes of all files: larger ones are a slip or an attack on the disk.
        static let members = 2_000_000
        static let bytes = 1 << 40
        /// A name that is told before its member.
        static let nameBytes = 65_536
        static let chunk = 1 << 20
    }

    private let archive: FileHandle
    private let directory: String
    private var links: Set<String> = []
    private var members = 0
    private var bytes = 0

    /// - Throws: what Foundation throws.
    init(archive: String, directory: String) throws {
        self.archive = try FileHandle(forReadingFrom: URL(fileURLWithPath: archive))
        self.directory = directory
    }

    /// - Throws: `ImageError`, `JournalError`, or what Foundation throws.
    mutating func run() throws {
        defer {
            // why `try?`: it was only read.
            try? archive.close()
        }
        var name: String?
        var linkName: String?
        var size: Int?
        while let block = try block(), !block.allSatisfy({ $0 == 0 }) {
            guard var header = TarHeader(block[...]) else { throw ImageError("the image is no tar archive") }
            switch header.kind {
            case .longName: name = try text(header.size)
            case .longLink: linkName = try text(header.size)
            case .globalExtended: _ = try text(header.size)
            case .extended:
                let fields = Self.extended(try content(header.size))
                name = fields["path"] ?? name
                linkName = fields["linkpath"] ?? linkName
                size = fields["size"].flatMap { Int($0) } ?? size
            default:
                header.name = name ?? header.name
                header.linkName = linkName ?? header.linkName
                header.size = size ?? header.size
                try extract(header)
                (name, linkName, size) = (nil, nil, nil)
            }
        }
    }

    private mutating func extract(_ header: TarHeader) throws {
        members += 1
        guard members <= Limit.members else { throw ImageError("the image has too many members") }
        let path = try place(header.name)
        if path.isEmpty {
            guard header.kind == .directory else { throw ImageError("a member of the image has no name") }
            return
        }
        let target = "\(directory)/\(path.joined(separator: "/"))"
        try makeParents(of: path)
        switch header.kind {
        case .directory:
            guard mkdir(target, 0o755) == 0 || errno == EEXIST else {
                throw JournalError.system("mkdir", target)
            }
        case .file: try write(header, to: target)
        case .symbolicLink:
            try checkLink(header.linkName, from: path)
            guard symlink(header.linkName, target) == 0 else { throw JournalError.system("symlink", target) }
            links.insert(path.joined(separator: "/"))
        case .hardLink:
            let source = try place(header.linkName).joined(separator: "/")
            guard !links.contains(source) else { throw refusal(header.name, "links to a link") }
            guard link("\(directory)/\(source)", target) == 0 else {
                throw JournalError.system("link", target)
            }
        default: throw refusal(header.name, "is neither a file, a directory nor a link")
        }
    }

    // MARK: Names

    /// Components of a member's name.
    private func place(_ name: String) throws -> [String] {
        guard !name.hasPrefix("/") else { throw refusal(name, "begins at the root") }
        let parts = name.split(separator: "/").map(String.init).filter { $0 != "." }
        guard !parts.contains(".."), !name.contains("\0") else { throw refusal(name, "leaves the image") }
        for count in 0..<parts.count where links.contains(parts[..<count].joined(separator: "/")) {
            throw refusal(name, "lies below a link")
        }
        return parts
    }

    /// Steps up stand at the beginning only, and end within the image; going down, names may be links, which
    /// were checked themselves.
    private func checkLink(_ target: String, from path: [String]) throws {
        let steps = target.split(separator: "/").filter { $0 != "." }
        let up = steps.prefix { $0 == ".." }.count
        guard !target.isEmpty, !target.hasPrefix("/"), up < path.count, !steps.dropFirst(up).contains("..")
        else { throw refusal(path.joined(separator: "/"), "links out of the image") }
    }

    private func makeParents(of path: [String]) throws {
        for count in 1..<max(1, path.count) {
            let parent = "\(directory)/\(path[..<count].joined(separator: "/"))"
            guard mkdir(parent, 0o755) == 0 || errno == EEXIST else {
                throw JournalError.system("mkdir", parent)
            }
        }
    }

    private func refusal(_ name: String, _ defect: String) -> ImageError {
        ImageError("the image is refused: \"\(name.prefix(200))\" \(defect)")
    }

    // MARK: Content

    private mutating func write(_ header: TarHeader, to path: String) throws {
        bytes += header.size
        guard bytes <= Limit.bytes else { throw ImageError("the image is too large") }
        // A later member replaces an earlier one.
        unlink(path)
        let mode = mode_t(header.mode & 0o555 | 0o400)
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw JournalError.system("open", path) }
        defer { close(descriptor) }
        var left = header.size
        while left > 0 {
            let chunk = try read(min(left, Limit.chunk))
            try DurableFile.write([UInt8](chunk), to: descriptor, path: path)
            left -= chunk.count
        }
        try skipPadding(header.size)
    }

    /// The next block; nil at the end.
    private func block() throws -> [UInt8]? {
        guard let data = try archive.read(upToCount: TarHeader.blockSize), !data.isEmpty else { return nil }
        guard data.count == TarHeader.blockSize else { throw ImageError("the image is cut off") }
        return [UInt8](data)
    }

    private func read(_ count: Int) throws -> Data {
        guard let data = try archive.read(upToCount: count), data.count == count else {
            throw ImageError("the image is cut off")
        }
        return data
    }

    private func skipPadding(_ size: Int) throws {
        let padding = (TarHeader.blockSize - size % TarHeader.blockSize) % TarHeader.blockSize
        if padding > 0 { _ = try read(padding) }
    }

    private func content(_ size: Int) throws -> [UInt8] {
        guard size <= Limit.nameBytes else { throw ImageError("a name in the image is too long") }
        let data = size > 0 ? [UInt8](try read(size)) : []
        try skipPadding(size)
        return data
    }

    private func text(_ size: Int) throws -> String {
        String(decoding: try content(size).prefix { $0 != 0 }, as: UTF8.self)
    }

    /// Records `<length> <key>=<value>\n`.
    private static func extended(_ bytes: [UInt8]) -> [String: String] {
        var fields: [String: String] = [:]
        var rest = bytes[...]
        while let space = rest.firstIndex(of: UInt8(ascii: " ")),
            let length = Int(String(decoding: rest[..<space], as: UTF8.self)),
            length > space - rest.startIndex + 1, length <= rest.count
        {
            let record = rest[(space + 1)..<(rest.startIndex + length)]
            if let sign = record.firstIndex(of: UInt8(ascii: "=")) {
                let key = String(decoding: record[..<sign], as: UTF8.self)
                fields[key] = String(decoding: record[(sign + 1)...].dropLast(), as: UTF8.self)
            }
            rest = rest.dropFirst(length)
        }
        return fields
    }
}
