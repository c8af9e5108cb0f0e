import Foundation

/// The operating system user that owns and runs a cluster.
struct ClusterOwner: Sendable, Hashable {
    let name: String
    let userID: UInt32
    let groupID: UInt32
    /// Whether commands must change to this user first.
    let needsSwitch: Bool

    /// The caller, or `unprivilegedUser` when the caller is root. Throws `cluster.directory`.
    init(unprivilegedUser: String) throws {
        guard geteuid() == 0 else {
            self.init(name: NSUserName(), userID: geteuid(), groupID: getegid(), needsSwitch: false)
            return
        }
        guard let entry = getpwnam(unprivilegedUser) else {
            throw PostgresError(
                .clusterDirectory,
                "there is no user \(unprivilegedUser) to run PostgreSQL, which refuses root")
        }
        self.init(
            name: unprivilegedUser, userID: entry.pointee.pw_uid, groupID: entry.pointee.pw_gid,
            needsSwitch: true)
    }

    private init(name: String, userID: UInt32, groupID: UInt32, needsSwitch: Bool) {
        self.name = name
        self.userID = userID
        self.groupID = groupID
        self.needsSwitch = needsSwitch
    }

    /// Whether this user may pass through a directory.
    func canSearch(_ status: stat) -> Bool {
        if userID == 0 { return true }
        if status.st_uid == userID { return status.st_mode & 0o100 != 0 }
        if status.st_gid == groupID { return status.st_mode & 0o010 != 0 }
        return status.st_mode & 0o001 != 0
    }
}
