internal import ArgumentParser
internal import FaultProxy
internal import Foundation
internal import Hummingbird
internal import Logging
internal import ProgramShell

/// A process of its own: faults of an injector never take connections with them.
struct ProxyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "proxy",
        abstract: "Lead TCP connections by way of faults; spoken to as toxiproxy is.")

    @Option(help: "Address of the REST interface; port 0 takes a free one.") var listen = "127.0.0.1:8474"
    @Option(help: "JSON file with a list of proxies: name, listen, upstream.") var config: String?
    @Option(help: "Written with the URL of the REST interface once all proxies listen.")
    var readyFile: String?

    func run() async throws {
        let parts = listen.split(separator: ":")
        guard parts.count == 2, let port = Int(parts[1]) else {
            throw ValidationError("--listen \(listen) is not written as HOST:PORT")
        }
        let proxies =
            try config.map {
                try JSONDecoder().decode([ProxyDescription].self, from: Data(contentsOf: URL(filePath: $0)))
            } ?? []
        let keeper = ProxyKeeper(unit: SystemSeams.random, logger: BasaltInjector.logger)
        let server = ProxyServer(keeper)
        let (running, source) = AsyncStream.makeStream(of: Int.self)
        let application = server.application(
            host: String(parts[0]), port: port, logger: BasaltInjector.logger
        ) { source.yield($0) }
        let (host, readyFile) = (String(parts[0]), readyFile)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await keeper.run() }
            group.addTask { try await application.runService() }
            group.addTask {
                try await server.populate(proxies)
                for await port in running {
                    let url = "http://\(host):\(port)"
                    BasaltInjector.logger.notice("proxies listen", metadata: ["api": "\(url)"])
                    try readyFile.map { try Data(url.utf8).write(to: URL(filePath: $0), options: .atomic) }
                }
            }
            // The first that ends, by a signal or by an error, ends all.
            try await group.next()
            group.cancelAll()
        }
    }
}
