public import Fleet

/// What routers see of serving deployments.
public protocol ServingStore: Sendable {
    /// Takes a router's report in the place of its last one; of a deployment that is gone nothing is taken.
    func takeServing(_ report: ServingReport, of deployment: ID<Document>) async throws

    /// The last report of each router of the last hour, by router.
    func servingReports(
        of deployments: [ID<Document>]
    ) async throws -> [ID<Document>: [ServingReportRecord]]
}
