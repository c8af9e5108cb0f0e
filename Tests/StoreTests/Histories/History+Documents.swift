import Fleet
import Store

extension History {
    mutating func createDocument() -> Operation {
        let draft = draft()
        let title = "create \(draft.kind) \(draft.project ?? "")/\(draft.name) \(draft.spec)"
        guard once(in: 5) else {
            return Operation(title) { harness in
                let made = try await harness.store.create([draft], context: Self.context("create"))
                return made.map { CanonicalDump.line(of: $0) }.joined()
            }
        }
        let key = IdempotencyKey(key: "k\(number(0..<6))", requestHash: "r\(number(0..<2))")
        return Operation(title + " with \(key.key)") { harness in
            let (made, replayed) = try await harness.store.create(
                draft, key: key, context: Self.context("create"))
            return CanonicalDump.line(of: made) + " \(replayed)"
        }
    }

    /// The next step of building the fleet; nil when it stands.
    mutating func beginning() -> Operation? {
        let pool = #"{"admits":["vm"],"cell":"a"}"#
        let drafts = [
            draft(.cell, "a", spec: "{}"), draft(.cell, "b", spec: "{}"), draft(.pool, "p", spec: pool),
            draft(.pool, "q", spec: pool), draft(.project, "team", spec: "{}"),
            draft(.project, "beta", spec: quota()), draft(.flavor, "f0", spec: Self.flavor),
        ]
        beginnings += 1
        switch beginnings {
        case 1:
            return Operation("create the fleet") { harness in
                let made = try await harness.store.create(drafts, context: Self.context("create"))
                return made.map { CanonicalDump.line(of: $0) }.joined()
            }
        case 2, 3: return join()
        case 4: return hello(of: sessions.first ?? .zero, Self.hosts, parts: [:])
        default: return nil
        }
    }

    private static let flavor = #"{"resources":{"milliCPU":1000,"memoryMiB":512}}"#

    private mutating func draft() -> DocumentDraft {
        let pool = once(in: 8) ? "zz" : name(of: Self.pools)
        switch number(0..<24) {
        case 0: return draft(.cell, name(of: Self.cells), spec: "{}")
        case 1:
            let policies = once(in: 2) ? #","policies":{"placement":"n\#(number(0..<2))"}"# : ""
            let spec = #"{"cell":"\#(name(of: Self.cells))","admits":["vm"]\#(policies)}"#
            return draft(.pool, name(of: Self.pools), spec: spec)
        case 5: return draft(.policy, "n\(number(0..<2))", spec: policy())
        case 2: return draft(.project, name(of: Self.projects), spec: quota())
        case 3:
            return draft(.flavor, "f\(number(0..<2))", spec: Self.flavor)
        case 4:
            let spec = #"{"cell":"\#(name(of: Self.cells))","pool":"\#(pool)"}"#
            return draft(.host, name(of: Self.hosts), spec: spec)
        default:
            let specs = ["{}", #"{"pool":"\#(pool)"}"#, #"{"flavor":"f0"}"#, #"{"cell":"a"}"#]
            var draft = draft(.vm, name(of: Self.vms), spec: pick(specs) ?? "{}")
            draft.project = once(in: 6) ? "beta" : "team"
            draft.finalizers = once(in: 5) ? [] : [Finalizer.allocations]
            draft.labels = once(in: 2) ? [:] : ["tier": "\(number(0..<3))"]
            return draft
        }
    }

    private mutating func policy() -> String {
        #"{"placement":{"score":"\#(pick(["first-fit", "best-fit", "waste"]) ?? "")"},"type":"placement"}"#
    }

    private func draft(_ kind: Kind, _ name: String, spec: String) -> DocumentDraft {
        DocumentDraft(uid: ids.id(), kind: kind, name: name, spec: spec)
    }

    private mutating func quota() -> String {
        once(in: 2) ? "{}" : #"{"quota":{"milliCPU":\#(number(4..<40) * 1000),"devices":\#(number(0..<4))}}"#
    }

    mutating func updateDocument() -> Operation {
        let mark = "\(number(0..<4))"
        switch number(0..<7) {
        case 6:
            let spec = policy()
            return update(.policy, "n\(number(0..<2))") { $0.spec = spec }
        case 0:
            let ratio = pick([1000, 1500, 2000]) ?? 1000
            return update(.pool, name(of: Self.pools)) { resource in
                let cell = try JSONContent(resource.spec)["cell"]?.text ?? ""
                resource.spec = #"{"admits":["vm"],"cell":"\#(cell)","cpuRatioPerMille":\#(ratio)}"#
            }
        case 1:
            let spec = quota()
            return update(.project, name(of: Self.projects)) { $0.spec = spec }
        case 2, 3:
            let extra = pick(["", #","cordoned":true,"cordonReason":"x""#, #","draining":true"#]) ?? ""
            return update(.host, name(of: Self.hosts)) { resource in
                let spec = try JSONContent(resource.spec)
                let (cell, pool) = (spec["cell"]?.text ?? "", spec["pool"]?.text ?? "")
                resource.spec = #"{"pool":"\#(pool)","cell":"\#(cell)"\#(extra)}"#
            }
        case 4:
            return update(.host, name(of: Self.hosts)) { $0.metadata.labels = ["cpu.vendor": mark] }
        default:
            let specs = ["{}", #"{"pool":"p"}"#, #"{"pool":"zz"}"#]
            let spec = pick(specs) ?? "{}"
            let project = once(in: 6) ? "beta" : "team"
            return update(.vm, name(of: Self.vms), project: project) { resource in
                resource.spec = spec
                resource.metadata.annotations = ["mark": mark]
            }
        }
    }

    private mutating func update(
        _ kind: Kind, _ name: String, project: String? = nil,
        _ change: @escaping @Sendable (inout Resource) throws -> Void
    ) -> Operation {
        let precondition: Precondition = once(in: 10) ? .entityTag("stale") : .none
        return Operation("update \(kind) \(project ?? "")/\(name)") { harness in
            let changed = try await harness.store.update(
                kind, project: project, name: name, precondition: precondition,
                context: Self.context("update"), change: change)
            return CanonicalDump.line(of: changed)
        }
    }

    mutating func deleteDocument() -> Operation {
        let (kind, name, project): (Kind, String, String?) =
            switch number(0..<30) {
            case 0: (.cell, name(of: Self.cells), nil)
            case 1: (.pool, name(of: Self.pools), nil)
            case 2: (.host, name(of: Self.hosts), nil)
            case 3: (.project, name(of: Self.projects), nil)
            case 4: (.flavor, "f0", nil)
            case 5: (.policy, "n\(number(0..<2))", nil)
            default: (.vm, name(of: Self.vms), once(in: 6) ? "beta" : "team")
            }
        return Operation("delete \(kind) \(project ?? "")/\(name)") { harness in
            let (resource, removed) = try await harness.store.delete(
                kind, project: project, name: name, precondition: .none, context: Self.context("delete"))
            return CanonicalDump.line(of: resource) + " \(removed)"
        }
    }
}
