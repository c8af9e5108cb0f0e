internal import Fleet
internal import FoundationEssentials
internal import PostgresClient

extension PostgresStore {
    public func feed(after cursor: FeedCursor, limit: Int) async throws -> FeedPage {
        let rows = try await read(
            Self.feedStatement, [cursor.transaction, cursor.sequence, limit, cursor.epoch])
        guard let state = rows.first else { throw StoreError.corrupt("the cluster row is missing") }
        guard try state.decode("valid", as: Bool.self) else { throw StoreError.watchExpired }
        let epoch: Int = try state.decode("epoch")
        let entries = try rows.compactMap { row in
            try row.decode("change", as: String?.self) == nil ? nil : try Self.entry(row, epoch: epoch)
        }
        return FeedPage(
            entries: entries, next: entries.last?.cursor ?? cursor,
            isHeldBack: try state.decode("held_back"))
    }

    private static func entry(_ row: PostgresRow, epoch: Int) throws -> FeedEntry {
        let kind: String = try row.decode("kind")
        let change: String = try row.decode("change")
        guard let kind = Kind(rawValue: kind), let change = FeedEntry.Change(rawValue: change) else {
            throw StoreError.corrupt("a change holds an unknown word")
        }
        let project: String = try row.decode("project")
        return FeedEntry(
            cursor: FeedCursor(
                epoch: epoch, transaction: try row.decode("xid"), sequence: try row.decode("seq")),
            change: change, kind: kind, uid: try row.id("uid"), project: project.isEmpty ? nil : project,
            name: try row.decode("name"), cell: try row.decode("cell"),
            host: try row.decode("host", as: UUID?.self).map { ID($0) },
            final: try row.decode("final", as: JSONText?.self).map { _ in
                try Self.final(row, epoch: epoch, kind)
            })
    }

    /// The last version of a deleted document, whose columns the statement took out of the stored row.
    private static func final(_ row: PostgresRow, epoch: Int, _ kind: Kind) throws -> Resource {
        let project: String = try row.decode("project")
        return Resource(
            kind: kind,
            metadata: Metadata(
                name: try row.decode("name"), uid: try row.id("uid"),
                project: project.isEmpty ? nil : project,
                labels: try row.json("f_labels"), annotations: try row.json("f_annotations"),
                generation: try row.decode("f_generation"), revision: try row.decode("f_revision"),
                resourceVersion: FeedCursor(
                    epoch: epoch, transaction: try row.decode("xid"), sequence: try row.decode("seq")
                ).text,
                createdAt: try row.timestamp("f_created"),
                deletionTimestamp: try row.optionalTimestamp("f_deletion"),
                finalizers: try row.json("f_finalizers")),
            spec: try row.decode("f_spec", as: JSONText.self).text,
            status: try row.decode("f_status", as: JSONText.self).text)
    }

    public func feedPosition() async throws -> FeedCursor {
        guard let row = try await read(Self.positionStatement).first else {
            throw StoreError.corrupt("the cluster row is missing")
        }
        return FeedCursor(epoch: try row.decode("epoch"), transaction: try row.decode("xmin"), sequence: 0)
    }

    public func feedPosition(resourceVersion: String) async throws -> FeedCursor {
        guard let cursor = FeedCursor(resourceVersion) else { throw StoreError.watchExpired }
        let row = try await read(Self.floorStatement, [cursor.transaction, cursor.sequence]).first
        guard let row, try row.decode("epoch", as: Int.self) == cursor.epoch else {
            throw StoreError.watchExpired
        }
        // A list's position has no sequence and is its own floor; any other must still be an entry.
        var start = cursor
        if cursor.sequence > 0 {
            guard let floor = try row.decode("floor", as: UInt64?.self) else { throw StoreError.watchExpired }
            start = FeedCursor(epoch: cursor.epoch, transaction: floor, sequence: 0)
        }
        let forgotten = FeedCursor(
            epoch: cursor.epoch, transaction: try row.decode("horizon"), sequence: try row.decode("last"))
        guard start >= forgotten else { throw StoreError.watchExpired }
        return start
    }

    public func waitForChange(after seen: UInt64, timeout: Duration) async throws -> UInt64 {
        try await signal.wait(after: seen, timeout: timeout)
    }

    public func feedDelay() async throws -> Duration {
        guard let row = try await read(Self.delayStatement).first else { return .zero }
        return .microseconds(max(0, try row.decode("delay", as: Int.self)))
    }

    public func pruneFeed(olderThan age: Duration) async throws {
        _ = try await write(Self.pruneStatement, [age.interval])
    }

    private static let feedStatement = Statement(
        name: "feed_read",
        sql: """
            SELECT k.epoch, k.epoch = $4 AND (z.xid, z.seq) <= ($1, $2) AS valid, c.*,
                coalesce((SELECT h.xid FROM change h ORDER BY h.xid DESC, h.seq DESC LIMIT 1)
                    >= pg_snapshot_xmin(pg_current_snapshot()), false) AS held_back,
                c.final -> 'labels' AS f_labels, c.final -> 'annotations' AS f_annotations,
                (c.final ->> 'generation')::bigint AS f_generation, (c.final ->> 'revision')::bigint AS f_revision,
                (c.final ->> 'created_at')::timestamptz AS f_created,
                (c.final ->> 'deletion_at')::timestamptz AS f_deletion, c.final -> 'finalizers' AS f_finalizers,
                c.final -> 'spec' AS f_spec, c.final -> 'status' AS f_status
            FROM cluster k CROSS JOIN feed_horizon z LEFT JOIN LATERAL (
                SELECT * FROM change
                WHERE xid < pg_snapshot_xmin(pg_current_snapshot()) AND (xid, seq) > ($1, $2)
                ORDER BY xid, seq LIMIT $3
            ) c ON true
            ORDER BY c.xid, c.seq
            """)
    private static let positionStatement = Statement(
        name: "feed_position",
        sql: "SELECT epoch, pg_snapshot_xmin(pg_current_snapshot()) AS xmin FROM cluster")
    private static let delayStatement = Statement(
        name: "feed_delay",
        sql: """
            SELECT coalesce(extract(epoch FROM basalt_now() - min(at)) * 1000000, 0)::bigint AS delay
            FROM change WHERE xid >= pg_snapshot_xmin(pg_current_snapshot())
            """)
    private static let floorStatement = Statement(
        name: "feed_floor",
        sql: """
            SELECT k.epoch, z.xid AS horizon, z.seq AS last, (SELECT floor FROM change WHERE xid = $1 AND seq = $2) AS floor
            FROM cluster k CROSS JOIN feed_horizon z
            """)
    /// Whole transactions only, so that a reader behind the horizon is told rather than given half.
    private static let pruneStatement = Statement(
        name: "feed_prune",
        sql: """
            WITH line AS (
                SELECT xid, seq FROM change WHERE xid = (
                    SELECT xid FROM change WHERE at < basalt_now() - $1::interval
                        AND xid < pg_snapshot_xmin(pg_current_snapshot())
                    ORDER BY xid DESC LIMIT 1)
                ORDER BY seq DESC LIMIT 1
            ), gone AS (DELETE FROM change WHERE xid <= (SELECT xid FROM line))
            UPDATE feed_horizon z SET xid = line.xid, seq = line.seq FROM line
            WHERE (line.xid, line.seq) > (z.xid, z.seq)
            """)
}
