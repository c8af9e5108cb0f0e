internal import AgentProtocol
internal import Crypto
internal import Fleet
internal import Foundation

/// Images on this host: directories as they are, tarballs unpacked once under their checksum.
struct ImageStore: Sendable {
    private enum Limit {
        static let chunk = 1 << 20
    }

    private static let draftPrefix = ".draft-"

    let directory: String

    /// Where the image's files are; they are shared and only read.
    /// - Parameter owner: names the attempt; a file name.
    /// - Throws: `ImageError`, `JournalError`, or what Foundation throws.
    func prepare(_ image: ImageSpec, owner: String) throws -> String {
        let files = FileManager.default
        var isDirectory: ObjCBool = false
        guard files.fileExists(atPath: image.path, isDirectory: &isDirectory) else {
            throw ImageError("the image \(image.source) does not exist on this host")
        }
        if isDirectory.boolValue {
            guard image.sha256 == nil else {
                throw ImageError("the image \(image.source) is a directory, which has no sha256")
            }
            return image.path
        }
        guard let wanted = image.sha256?.lowercased() else {
            throw ImageError("the image \(image.source) is a file: give its sha256")
        }
        let place = "\(directory)/\(wanted)"
        if files.fileExists(atPath: place) { return place }
        let draft = "\(directory)/\(Self.draftPrefix)\(owner)"
        defer {
            // why `try?`: drafts are removed with the next open.
            try? files.removeItem(atPath: draft)
        }
        try files.createDirectory(atPath: "\(draft)/files", withIntermediateDirectories: true)
        try unpack(image, wanted, draft)
        sync()
        if rename("\(draft)/files", place) != 0, !files.fileExists(atPath: place) {
            throw JournalError.system("rename", place)
        }
        try DurableFile.syncDirectory(of: place)
        return place
    }

    /// Removes what a crash left.
    func removeDrafts() throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: directory)
        where name.hasPrefix(Self.draftPrefix) {
            try FileManager.default.removeItem(atPath: "\(directory)/\(name)")
        }
    }

    private func unpack(_ image: ImageSpec, _ wanted: String, _ draft: String) throws {
        // What is checked and what is unpacked is the same copy, whoever writes to the source meanwhile.
        let copy = "\(draft)/archive"
        let found = try Self.copy(image.path, to: copy)
        guard found == wanted else {
            throw ImageError("the image \(image.source) has sha256 \(found), not \(wanted)")
        }
        var archive = copy
        if try Self.isCompressed(copy) {
            archive = "\(draft)/archive.tar"
            try Self.decompress(copy, to: archive)
        }
        var extractor = try TarExtractor(archive: archive, directory: "\(draft)/files")
        try extractor.run()
    }

    private static func copy(_ source: String, to target: String) throws -> String {
        let input = try FileHandle(forReadingFrom: URL(fileURLWithPath: source))
        defer { try? input.close() }
        try Data().write(to: URL(fileURLWithPath: target))
        let output = try FileHandle(forWritingTo: URL(fileURLWithPath: target))
        defer { try? output.close() }
        var hash = SHA256()
        while let chunk = try input.read(upToCount: Limit.chunk), !chunk.isEmpty {
            hash.update(data: chunk)
            try output.write(contentsOf: chunk)
        }
        return hash.finalize().hexadecimal
    }

    private static func isCompressed(_ path: String) throws -> Bool {
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        defer { try? file.close() }
        return try file.read(upToCount: 2) == Data([0x1F, 0x8B])
    }

    private static func decompress(_ source: String, to target: String) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, source, O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, target, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("gzip"), strdup("-dc"), nil]
        defer { for argument in arguments { free(argument) } }
        var child = pid_t()
        guard posix_spawnp(&child, "gzip", &actions, nil, &arguments, environ) == 0 else {
            throw ImageError("the image is compressed, and this host has no gzip")
        }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0, errno == EINTR {}
        guard status == 0 else { throw ImageError("the image cannot be decompressed") }
    }
}
