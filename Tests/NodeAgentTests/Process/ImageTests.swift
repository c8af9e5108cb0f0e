import AgentProtocol
import Crypto
import Fleet
import Foundation
@testable import NodeAgent
import Testing

extension ProcessSuites {
    @Suite("Images of parts", .serialized)
    struct ImageTests {
        private let directory: TemporaryDirectory
        private let store: ImageStore

        init() throws {
            directory = try TemporaryDirectory()
            try FileManager.default.createDirectory(
                atPath: directory.path + "/images", withIntermediateDirectories: true)
            store = ImageStore(directory: directory.path + "/images")
        }

        private struct Member {
            var name: String
            var type: Character = "0"
            var link = ""
            var content = ""
            var mode = 0o755
        }

        private func tar(_ members: [Member]) -> [UInt8] {
            members.flatMap { member -> [UInt8] in
                var block = [UInt8](repeating: 0, count: 512)
                func put(_ text: String, at offset: Int) {
                    for (index, byte) in text.utf8.enumerated() { block[offset + index] = byte }
                }
                func octal(_ value: Int, _ width: Int) -> String {
                    let digits = String(value, radix: 8)
                    return String(repeating: "0", count: width - digits.count) + digits
                }
                let content = Array(member.content.utf8)
                put(member.name, at: 0)
                put(octal(member.mode, 7), at: 100)
                put(octal(content.count, 11), at: 124)
                put(String(member.type), at: 156)
                put(member.link, at: 157)
                put("ustar", at: 257)
                put("        ", at: 148)
                put(octal(block.reduce(0) { $0 + Int($1) }, 6), at: 148)
                block[154] = 0
                let padding = [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
                return block + content + padding
            } + [UInt8](repeating: 0, count: 1024)
        }

        private func image(_ bytes: [UInt8]) throws -> ImageSpec {
            let path = directory.path + "/image.tar"
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            return ImageSpec(source: "file://" + path, sha256: SHA256.hash(data: bytes).hexadecimal)
        }

        @Test("A tarball is unpacked once, read-only, under its checksum")
        func unpack() throws {
            let spec = try image(
                tar([
                    Member(name: "./"), Member(name: "bin/", type: "5"),
                    Member(name: "bin/run", content: "#!/bin/sh\necho hi\n"),
                    Member(name: "current", type: "2", link: "bin"),
                    Member(name: "bin/again", type: "1", link: "bin/run"),
                    Member(name: "bin/up", type: "2", link: "../current/run"),
                ]))
            let place = try store.prepare(spec, owner: "a")
            #expect(place.hasSuffix("/images/" + (spec.sha256 ?? "")))
            #expect(try String(contentsOfFile: place + "/bin/up", encoding: .utf8) == "#!/bin/sh\necho hi\n")
            let mode = try FileManager.default.attributesOfItem(atPath: place + "/bin/run")[.posixPermissions]
            #expect((mode as? NSNumber)?.intValue == 0o555)
            // The source is not needed again.
            try FileManager.default.removeItem(atPath: spec.path)
            try Data().write(to: URL(fileURLWithPath: spec.path))
            #expect(try store.prepare(spec, owner: "b") == place)
            #expect(try FileManager.default.contentsOfDirectory(atPath: store.directory).count == 1)
        }

        @Test(
            "What would leave the image is refused, and nothing stays",
            arguments: [
                ("../evil", Character("0"), ""), ("/etc/evil", "0", ""), ("a/../../evil", "0", ""),
                ("evil", "2", "/etc/passwd"), ("evil", "2", "../outside"), ("a/evil", "2", "../../x"),
                ("evil", "2", "a/../../x"), ("evil", "1", "/etc/passwd"), ("evil", "1", "../x"),
                ("evil", "3", ""), ("evil", "6", ""), ("hole/evil", "0", ""), ("evil", "1", "hole"),
            ])
        func traversal(_ name: String, _ type: Character, _ link: String) throws {
            let spec = try image(
                tar([
                    Member(name: "hole", type: "2", link: "a"), Member(name: "a/", type: "5"),
                    Member(name: name, type: type, link: link, content: ""),
                ]))
            let error = #expect(throws: ImageError.self) { try store.prepare(spec, owner: "a") }
            #expect(error?.description.hasPrefix("the image is refused: ") == true)
            #expect(try FileManager.default.contentsOfDirectory(atPath: store.directory).isEmpty)
            #expect(!FileManager.default.fileExists(atPath: directory.path + "/evil"))
        }

        @Test("A wrong, missing or needless checksum, a missing file and garbage are told apart")
        func refusals() throws {
            let spec = try image(tar([Member(name: "x", content: "1")]))
            func message(_ spec: ImageSpec) -> String {
                (#expect(throws: ImageError.self) { try store.prepare(spec, owner: "a") })?.description ?? ""
            }
            var wrong = spec
            wrong.sha256 = String(repeating: "0", count: 64)
            #expect(message(wrong).contains("not 0000"))
            #expect(message(ImageSpec(source: spec.source)).contains("give its sha256"))
            #expect(message(ImageSpec(source: "/no/such/file")).contains("does not exist"))
            #expect(
                message(ImageSpec(source: directory.path, sha256: wrong.sha256)).contains("is a directory"))
            #expect(message(try image(Array(repeating: 65, count: 2048))).contains("no tar archive"))
            #expect(
                message(try image(Array(tar([Member(name: "x", content: "1")]).prefix(700)))).contains(
                    "cut off"))
        }

        @Test("Archives of GNU tar, compressed and with long names, unpack the same")
        func systemTar() async throws {
            try await ProcessHost.run { host in
                let long = String(repeating: "d", count: 90) + "/" + String(repeating: "n", count: 120)
                try directory.write("#!/bin/sh\ncat \"$BASALT_IMAGE_DIR/\(long)\"\n", to: "tree/run.sh")
                try directory.write("found\n", to: "tree/\(long)")
                for (number, format) in [(1, "gnu"), (2, "posix")] {
                    let archive = "\(directory.path)/\(format).tar.gz"
                    // The command is itself a part, as it is a process to wait for.
                    try host.start(
                        number,
                        ["sh", "-c", "chmod +x run.sh; tar --format=\(format) -czf \(archive) ."],
                        workingDirectory: directory.path + "/tree")
                    try #require(try await host.ends(number).exitCode == 0)
                    let sum = SHA256.hash(data: try Data(contentsOf: URL(fileURLWithPath: archive)))
                        .hexadecimal
                    try host.start(
                        10 + number, ["./run.sh"], image: ImageSpec(source: archive, sha256: sum.uppercased())
                    )
                    #expect(try await host.ends(10 + number).exitCode == 0)
                    #expect(try host.output(10 + number) == "found\n")
                }
                try host.start(20, ["pwd"], image: ImageSpec(source: directory.path + "/tree"))
                _ = try await host.ends(20)
                #expect(try host.output(20) == directory.path + "/tree\n")
                try host.start(21, ["pwd"], image: ImageSpec(source: directory.path + "/nothing"))
                #expect(try await host.ends(21).message?.contains("does not exist") == true)
            }
        }
    }
}
