internal import APITypes
internal import Client
internal import FaultLab
internal import Fleet
internal import Foundation

extension LiveGround {
    /// Lines, series and spans of one answer.
    private static let longest = 200
    /// A controller that stands still answers nothing.
    private static let scrapePatience = Duration.seconds(2)

    private var controllers: [ComponentName] {
        fleet.controllers.map { ComponentName(kind: "controller", $0.name) }
    }

    private var speakers: [ComponentName] {
        fleet.agents.map { ComponentName(kind: "agent", $0) } + controllers
    }

    private var files: LiveLogs { LiveLogs(directory: fleet.directory, start: wall) }

    func telemetry() async -> SessionTelemetry {
        await scrape()
        return SessionTelemetry(
            series: series.all, logs: FaultLab.LogLine.folded(files.lines(of: speakers)),
            spans: files.spans(of: controllers))
    }

    // MARK: Reading

    func logs(_ query: ReadAction.LogQuery) async throws -> Observation {
        let since = now.advanced(by: .seconds(-query.sinceSeconds))
        let wanted = ComponentName(query.target)
        let name = wanted.path.isEmpty ? wanted.description : wanted.path
        let asked = speakers.filter { name == "*" || $0.path == name }
        var lines = files.lines(of: asked)
        if asked.isEmpty, fleet.residents.contains(name) { lines = try await output(of: name) }
        let found = lines.filter { line in
            line.at >= since && (query.level == nil || line.level == query.level)
                && (query.contains.map { line.message.contains($0) } ?? true)
        }
        let folded = FaultLab.LogLine.folded(found)
        let shown = folded.dropLast(query.cursor).suffix(Self.longest)
        let isTruncated = folded.count - query.cursor > Self.longest
        return Observation(
            .logs(Array(shown)), isTruncated: isTruncated,
            cursor: isTruncated ? query.cursor + Self.longest : nil)
    }

    /// What a VM wrote, by way of its agent.
    private func output(of vm: String) async throws -> [FaultLab.LogLine] {
        let piece = try await fleet.client.output(of: .vm, vm, project: LiveFleet.project, tail: Self.longest)
        return piece.text.split(separator: "\n").map {
            FaultLab.LogLine(
                at: now, component: ComponentName(kind: "vm", vm), level: "info", message: String($0))
        }
    }

    func metrics(_ prefix: String, _ range: Int) async -> Observation {
        await scrape()
        let since = now.advanced(by: .seconds(-range))
        let found = series.all.filter {
            $0.name.hasPrefix(prefix) || $0.component.description.hasPrefix(prefix)
        }.compactMap { MetricSummary($0.since(since)) }
        // Of many series those that move.
        let shown = found.count > Self.longest ? found.filter { $0.least != $0.most } : found
        return Observation(
            .metrics(Array(shown.prefix(Self.longest))),
            isTruncated: found.count > shown.prefix(Self.longest).count)
    }

    /// The slowest first.
    func traces(_ service: String, _ seconds: Int, _ onlyErrors: Bool) -> Observation {
        let since = now.advanced(by: .seconds(-seconds))
        let wanted = ComponentName(service)
        let found = files.spans(of: controllers).filter { span in
            span.at >= since && (!onlyErrors || span.error != nil)
                && (service == "*" || ComponentName(span.service).means(wanted)
                    || ComponentName(span.service).path == service)
        }.sorted { ($1.milliseconds, $0.at, $0.service) < ($0.milliseconds, $1.at, $1.service) }
        return Observation(
            .spans(Array(found.prefix(Self.longest))), isTruncated: found.count > Self.longest)
    }

    // MARK: Sampling

    /// Asks every controller for its metrics; one that does not answer is down.
    func scrape() async {
        for controller in fleet.controllers {
            let component = ComponentName(kind: "controller", controller.name)
            let page = await fleet.metricsPage(of: controller.port, within: Self.scrapePatience)
            series.take(component, "controller_up", page == nil ? 0 : 1, at: now)
            if let page { series.take(page: page, of: component, at: now) }
        }
    }

    /// As a look at the fleet showed them.
    func note(_ hosts: [WireDocument], _ vms: [WireDocument]) throws {
        for host in hosts {
            let isHeard = try host.status?.read(HostStatus.self).contact == .ready
            series.take(
                ComponentName(kind: "agent", host.metadata.name), "agent_heard", isHeard ? 1 : 0, at: now)
        }
        for vm in vms {
            let status = try vm.status?.object?.isEmpty == false ? vm.status?.read(VMStatus.self) : nil
            let component = ComponentName(kind: "vm", vm.metadata.name)
            series.take(component, "vm_running", status?.state == .running ? 1 : 0, at: now)
            series.take(component, "vm_restarts", Double(status?.restarts ?? 0), at: now)
        }
    }
}

extension LiveFleet {
    /// Nil when the controller does not tell in time.
    func metricsPage(of port: Int, within limit: Duration) async -> String? {
        do {
            let limits = ClientLimits(
                connect: limit, answer: limit, silence: limit, answerBytes: 8 << 20, connections: 1)
            let configuration = try configuration(ports: [port], limits: limits, retry: .singleRound)
            return try await RESTClient.with(configuration, seams: seams) { try await $0.metricsPage() }
        } catch {
            return nil
        }
    }
}
