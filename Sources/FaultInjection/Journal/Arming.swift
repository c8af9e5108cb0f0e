public import FaultLab
public import Fleet
public import NodeAgent

/// One injection on one target: on disk before anything happens, and until all of it is taken back.
public struct Arming: Sendable, Hashable, Codable {
    /// Names the file, and marks every process and session that the injection brings about.
    public var id: String
    public var fault: String
    public var target: FaultTarget
    public var round: Int
    public var kind: FaultKind
    /// Of this boot; after another one nothing but lasting changes is left, and these are taken back at once.
    public var deadline: MonotonicTime
    public var bootID: String
    /// For people.
    public var until: Timestamp
    /// In the order in which they are done. Each may be done again, and does nothing where there is nothing
    /// to do.
    public var undo: [UndoStep]

    public init(
        _ order: InjectorOrders.Order, deadline: MonotonicTime, bootID: String, until: Timestamp,
        undo: [UndoStep]
    ) {
        id = Self.id(order)
        fault = order.fault
        target = order.target
        round = order.round
        kind = order.kind
        self.deadline = deadline
        self.bootID = bootID
        self.until = until
        self.undo = undo
    }

    /// Such as `slow-1~1~agent-a.01`: names of files and of database sessions hold no slashes.
    static func id(_ order: InjectorOrders.Order) -> String {
        let target = order.target.description.map { character in
            character.isASCII && (character.isLetter || character.isNumber || character == ".")
                ? character : "-"
        }
        return "\(order.fault)~\(order.round)~\(String(target))"
    }

    func isDue(at now: MonotonicTime, bootID: String) -> Bool {
        bootID != self.bootID || now >= deadline
    }
}

/// One thing that is put right again.
public enum UndoStep: Sendable, Hashable, Codable {
    /// A process that stands still goes on.
    case goOn(processID: Int32, startTicks: UInt64)
    /// What the injection started is ended, by its mark.
    case endMarked(mark: String)
    /// A program runs again, unless it does.
    case start(TargetFile.Program)
    case restoreFileLimit(processID: Int32, startTicks: UInt64, bytes: UInt64)
    case removeToxics(api: String, proxy: String, names: [String])
    case startDatabase(TargetFile.Database)
    /// A setting of the server is what it was, unless somebody else changed it meanwhile.
    case resetSetting(TargetFile.Database, name: String, injected: String, before: String?)
    case roleLimit(TargetFile.Database, role: String, injected: Int, before: Int)
    /// What programs do to themselves is over; one that must see it at its start is started again, unless it
    /// never saw the fault.
    case clearSeam(folders: [String], name: String, restart: TargetFile.Program?)
    /// The discipline of an interface is the kernel's own again, where it is the injector's.
    case removeDiscipline(TargetFile.Interface)
    /// A frozen control group goes on.
    case thaw(group: String)
    /// Sessions of this application are ended.
    case endSessions(TargetFile.Database, application: String)
}
