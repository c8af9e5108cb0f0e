public import Fleet

extension MemoryStore {
    public func takeServing(_ report: ServingReport, of deployment: ID<Document>) async throws {
        write { $0.takeServing(report, of: deployment) }
    }

    public func servingReports(
        of deployments: [ID<Document>]
    ) async throws -> [ID<Document>: [ServingReportRecord]] {
        read { state in
            deployments.reduce(into: [:]) { found, uid in
                let fresh = (state.servingReports[uid] ?? [:]).values
                    .filter { state.now.since($0.at) <= .seconds(3600) }
                guard !fresh.isEmpty, state.documents[uid] != nil else { return }
                found[uid] = fresh.sorted { $0.report.router < $1.report.router }
            }
        }
    }
}

extension MemoryState {
    mutating func takeServing(_ report: ServingReport, of deployment: ID<Document>) {
        guard documents[deployment]?.kind == .servingDeployment else { return }
        servingReports[deployment, default: [:]][report.router] = ServingReportRecord(report: report, at: now)
    }
}
