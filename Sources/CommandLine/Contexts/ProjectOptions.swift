internal import ArgumentParser
internal import Client
internal import Fleet

/// `-p`, for commands about one document of a tenant kind.
struct ProjectOption: ParsableArguments {
    @Option(name: .shortAndLong, help: "Project of the VM ($BASALT_PROJECT, else that of the context).")
    var project: String?

    /// The collection that holds one named document.
    func collection(of kind: Kind, _ connection: Connection) throws -> Collection {
        Collection(kind, project: kind.isTenant ? try name(connection) : nil)
    }

    func name(_ connection: Connection) throws -> String {
        guard let name = project ?? connection.project else {
            throw CommandFailure("which project? give -p NAME or set BASALT_PROJECT")
        }
        return name
    }
}
