public import Fleet
internal import FoundationEssentials
internal import PostgresClient

extension PostgresStore {
    public func takeServing(_ report: ServingReport, of deployment: ID<Document>) async throws {
        let text = String(decoding: try JSONEncoder().encode(report), as: UTF8.self)
        // Readers of the feed see nothing of it.
        _ = try await read(Self.takeStatement, [deployment.uuid, JSONText(text)])
    }

    public func servingReports(
        of deployments: [ID<Document>]
    ) async throws -> [ID<Document>: [ServingReportRecord]] {
        guard !deployments.isEmpty else { return [:] }
        let rows = try await read(Self.reportsStatement, [deployments.map(\.uuid)])
        var found: [ID<Document>: [ServingReportRecord]] = [:]
        for row in rows {
            let text: String = try row.decode("report")
            found[try row.id("deployment"), default: []].append(
                ServingReportRecord(
                    report: try JSONDecoder().decode(ServingReport.self, from: Data(text.utf8)),
                    at: try row.timestamp("at")))
        }
        return found
    }

    private static let takeStatement = Statement(
        name: "serving_take", sql: "SELECT serving_take_1($1, $2::jsonb)")
    private static let reportsStatement = Statement(
        name: "serving_reports", sql: "SELECT * FROM serving_reports_1($1)")
}
