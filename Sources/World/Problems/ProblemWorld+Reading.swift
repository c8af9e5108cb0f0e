internal import FaultLab
internal import Fleet
internal import Foundation
internal import Store

extension ProblemWorld {
    /// Rows, lines and series of one answer.
    private static let longest = 200
    /// What looking takes.
    private static let readTime = Duration.seconds(2)

    func perform(_ action: AgentAction) async -> Observation {
        switch action {
        case .read(.wait(let seconds)):
            await pass(.seconds(seconds))
            return .message("\(seconds) s have passed.")
        case .read(let action):
            await pass(Self.readTime)
            do { return try await look(action) } catch { return .message("\(error)", status: .error) }
        case .write(let action):
            await pass(Self.readTime)
            do { return try await act(action) } catch {
                return .message("\(error)", status: .error)
            }
        case .submit: return .message("Received.")
        }
    }

    private func look(_ action: ReadAction) async throws -> Observation {
        switch action {
        case .alerts: return Observation(.alerts(monitor.alerts))
        case .logs(let query): return logs(query)
        case .metrics(let prefix, let range, _): return metrics(prefix, range)
        case .events(let target): return events(of: target)
        case .inventory(let kind, let filter): return try await inventory(kind, filter)
        case .topology: return try await inventory("host", nil)
        case .policy(let name, _): return try await policy(name)
        case .policyDifference(let name, _, _): return try await policy(name)
        case .databaseHealth: return metrics("db", 300)
        case .traces(let service, let since, let onlyErrors):
            return traces(of: service, since, onlyErrors)
        case .command(let host, let command): return await run(command, on: host)
        case .wait: return .message("")
        }
    }

    func telemetry() async -> SessionTelemetry {
        let all = logs(ReadAction.LogQuery(target: "*", sinceSeconds: ReadAction.longestRange))
        let lines = if case .logs(let lines) = all.content { lines } else { [LogLine]() }
        let spans = world.spans.spans.sorted { ($0.at, $0.service) < ($1.at, $1.service) }
        return SessionTelemetry(series: monitor.all, logs: lines, spans: spans)
    }

    func logs(_ query: ReadAction.LogQuery) -> Observation {
        let since = now.advanced(by: .seconds(-query.sinceSeconds))
        let name = ComponentName(query.target)
        let wanted = name.path.isEmpty ? name.description : name.path
        let lines = world.lines().filter { line in
            line.at >= since && (query.level == nil || line.level == query.level)
                && (wanted == "*" || line.component == wanted || line.component.hasPrefix(wanted + "."))
                && (query.contains.map { line.message.contains($0) } ?? true)
        }
        let hosts = Set(world.configuration.machines.map(\.host))
        let modelled = said.filter { line in
            line.at >= since && (query.level == nil || line.level == query.level)
                && (wanted == "*" || line.component.means(name) || line.component.path == wanted)
                && (query.contains.map { line.message.contains($0) } ?? true)
        }
        let folded = LogLine.folded(
            modelled
                + lines.map { line in
                    let kind = hosts.contains(line.component) ? "agent" : "controller"
                    return LogLine(
                        at: line.at, component: ComponentName(kind: kind, line.component), level: line.level,
                        message: line.message)
                })
        let shown = folded.dropLast(query.cursor).suffix(Self.longest)
        let isTruncated = folded.count - query.cursor > Self.longest
        return Observation(
            .logs(Array(shown)), isTruncated: isTruncated,
            cursor: isTruncated ? query.cursor + Self.longest : nil)
    }

    /// The slowest first.
    private func traces(of service: String, _ seconds: Int, _ onlyErrors: Bool) -> Observation {
        let since = now.advanced(by: .seconds(-seconds))
        let name = ComponentName(service)
        let found = world.spans.spans.filter { span in
            span.at >= since && (!onlyErrors || span.error != nil)
                && (service == "*" || ComponentName(span.service).means(name)
                    || ComponentName(span.service).path == service)
        }.sorted { ($1.milliseconds, $0.at, $0.service) < ($0.milliseconds, $1.at, $1.service) }
        return Observation(
            .spans(Array(found.prefix(Self.longest))), isTruncated: found.count > Self.longest)
    }

    private func metrics(_ prefix: String, _ range: Int) -> Observation {
        let since = now.advanced(by: .seconds(-range))
        let found = monitor.all.filter {
            $0.name.hasPrefix(prefix) || $0.component.description.hasPrefix(prefix)
        }.compactMap { MetricSummary($0.since(since)) }
        // Of many series those that move.
        let moving = found.filter { $0.least != $0.most }
        let shown = found.count > Self.longest ? moving : found
        return Observation(
            .metrics(Array(shown.prefix(Self.longest))),
            isTruncated: found.count > shown.prefix(Self.longest).count)
    }

    private func events(of target: String?) -> Observation {
        let wanted = target.map { ComponentName($0) }
        let found = events.filter { event in
            guard let wanted else { return true }
            return event.component.means(wanted) || event.component.path == wanted.description
        }
        return Observation(.events(found.suffix(Self.longest)), isTruncated: found.count > Self.longest)
    }

    private func inventory(_ kind: String, _ filter: String?) async throws -> Observation {
        let rows: [[String: String]] =
            switch kind {
            case "host", "agent": try await hostRows()
            case "gpu", "job", "store", "predictor", "router", "nic", "disk":
                (surroundings[kind] ?? []).map { modelledRow($0) }
            case "vm": try await vmRows()
            case "controller":
                world.seats.map { ["name": $0.name, "state": $0.current == nil ? "down" : "up"] }
            case "policy":
                try await world.store.all(.pool).map { ["name": $0.metadata.name, "spec": $0.spec] }
            default: []
            }
        let found = rows.filter { row in
            filter.map { filter in row.values.contains { $0.contains(filter) } } ?? true
        }
        return Observation(
            .rows(Array(found.prefix(Self.longest))), isTruncated: found.count > Self.longest)
    }

    private func hostRows() async throws -> [[String: String]] {
        try await world.store.hosts(.all).sorted { $0.name < $1.name }.map { host in
            let labels = host.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            return [
                "name": host.name, "cell": host.cell, "pool": host.pool, "zone": host.domain.zone,
                "rack": host.domain.rack, "contact": host.contact.rawValue,
                "cordoned": "\(host.cordoned || host.draining)", "devices": "\(host.devices.count)",
                "healthyDevices": "\(host.devices.count { $0.health == .healthy })",
                "memoryMiB": "\(host.room.total.memoryMiB)", "ratio": "\(host.room.cpuRatioPerMille)",
                "labels": labels.joined(separator: ","),
            ]
        }
    }

    private func vmRows() async throws -> [[String: String]] {
        try await world.store.all(.vm).map { vm in
            let status = try Self.status(vm)
            let spec = try JSONDecoder().decode(VMSpec.self, from: Data(vm.spec.utf8))
            return [
                "name": vm.metadata.name, "phase": status.state.rawValue, "host": status.host ?? "",
                "restarts": "\(status.restarts)", "command": spec.run?.command.joined(separator: " ") ?? "",
            ]
        }
    }

    private func policy(_ name: String) async throws -> Observation {
        let short = ComponentName(name).kind == "policy" ? ComponentName(name).path : name
        guard let pool = try await world.store.document(.pool, project: nil, name: short) else {
            return .message("There is no policy \"\(short.prefix(60))\".", status: .error)
        }
        var rows = [["name": short, "revision": "current", "spec": pool.spec]]
        if let before = former[short], before != pool.spec {
            rows.append(["name": short, "revision": "former", "spec": before])
        }
        return Observation(.rows(rows))
    }

    /// What a shell on the machine would say of the agent.
    private func run(_ command: String, on name: String) async -> Observation {
        let host = ComponentName(name).path.isEmpty ? name : ComponentName(name).path
        guard let machine = world.machines.first(where: { $0.name.host == host }) else {
            return .message("There is no host \"\(host.prefix(60))\".", status: .error)
        }
        let component = ComponentName(kind: "agent", host)
        guard !machine.isOff, let reading = Optional(await read()),
            let process = reading.value(component, "agent_process")
        else { return .message("no answer from \(host)", status: .error) }
        let isStopped = reading.value(component, "agent_stopped") == 1
        let state =
            process < 1 ? "inactive (dead)" : isStopped ? "active, state T (stopped)" : "active (running)"
        return .message("basalt-agent on \(host): \(state)")
    }
}
