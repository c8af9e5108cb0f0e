internal import ArgumentParser
internal import Fleet
internal import Foundation
internal import Replay
internal import ServingPlanning

/// `--requests`, `--rate` and `--timestamps`, for commands that read requests to a language model.
struct ServingRequestOptions: ParsableArguments {
    @Option(
        help: "File of ContextTokens, GeneratedTokens and TIMESTAMP, may be gzip; - is standard input.",
        completion: .file())
    var requests: String?
    @Option(help: "Requests per second, arriving at random; that of the timestamps when absent.")
    var rate: Double?
    @Flag(help: "Requests come when the file says, and at its rate.") var timestamps = false

    func validate() throws {
        if timestamps, rate != nil { throw ValidationError("--rate or --timestamps, not both") }
        if let rate, !(rate > 0 && rate.isFinite) {
            throw ValidationError("--rate: \(rate) requests per second, more than 0 expected")
        }
    }

    func read() throws -> ServingRequests {
        guard let requests else { throw CommandFailure("which requests? give --requests FILE") }
        return try ServingRequestReader().read(try UsageOptions.source(requests))
    }

    /// Requests per second.
    func rate(of requests: ServingRequests) throws -> Double {
        guard let rate = rate ?? requests.rate else {
            throw CommandFailure("the requests have no timestamps; give --rate")
        }
        return rate
    }
}

/// Turns what planning of serving refuses into the one line that users see.
enum ServingFailure {
    static func wrap<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try ExperimentFailure.wrap(body)
        } catch let error as ServingError {
            let nearest = error.value.flatMap { NearestChoice.of($0, among: error.choices) }
            throw CommandFailure(error.message + (nearest.map { "; the nearest is \"\($0)\"" } ?? ""))
        }
    }

    /// The bytes of a file.
    static func data(_ path: String) throws -> Data {
        try DocumentFile.requireFile(path)
        do {
            return try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw CommandFailure("\(path) cannot be read: \(error.localizedDescription)")
        }
    }

    /// A plan as `basalt plan serving -o json` wrote it.
    static func plan(_ path: String) throws -> ServingPlan {
        try ServingPlan(json: try data(path), name: path)
    }
}
