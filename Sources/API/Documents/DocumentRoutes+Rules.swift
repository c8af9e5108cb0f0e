internal import APITypes
internal import Fleet
internal import Foundation
internal import Store

extension DocumentRoutes {
    /// Who must finish before a document of the kind goes away.
    static func finalizers(of kind: Kind) -> [String] {
        switch kind {
        case .vm, .trainingJob, .servingDeployment: [Finalizer.allocations]
        case .vmGroup: [Finalizer.members]
        default: []
        }
    }

    /// Members of a group are made by its controller: a VM that only says so would never be placed.
    static func checkMadeByUsers(_ draft: DocumentDraft) throws {
        guard draft.kind == .vm,
            try JSONDecoder().decode(VMSpec.self, from: Data(draft.spec.utf8)).group != nil
        else { return }
        throw Problem(
            .invalid, detail: "VM \"\(draft.name)\" is not valid",
            causes: [
                FieldDefect(
                    field: "spec.group", code: .invalid,
                    message: "is written by the controllers; leave it out, or scale the group")
            ])
    }

    /// What a VM was placed by does not change under what runs; nor does how a group's members are placed.
    static func checkImmutable(_ kind: Kind, from old: String, to new: String) throws {
        guard old != new else { return }
        let decoder = JSONDecoder()
        if kind == .vmGroup {
            let before = try decoder.decode(VMGroupSpec.self, from: Data(old.utf8))
            let causes = try decoder.decode(VMGroupSpec.self, from: Data(new.utf8))
                .immutableDefects(since: before)
            if causes.isEmpty { return }
            throw Problem(.invalid, detail: "the VM group cannot be changed so", causes: causes)
        }
        if kind == .trainingJob {
            let before = try decoder.decode(TrainingJobSpec.self, from: Data(old.utf8))
            let causes = try decoder.decode(TrainingJobSpec.self, from: Data(new.utf8))
                .immutableDefects(since: before)
            if causes.isEmpty { return }
            throw Problem(.invalid, detail: "the training job cannot be changed so", causes: causes)
        }
        if kind == .servingDeployment {
            let before = try decoder.decode(ServingDeploymentSpec.self, from: Data(old.utf8))
            let causes = try decoder.decode(ServingDeploymentSpec.self, from: Data(new.utf8))
                .immutableDefects(since: before)
            if causes.isEmpty { return }
            throw Problem(.invalid, detail: "the serving deployment cannot be changed so", causes: causes)
        }
        if kind == .model { return try checkModel(from: old, to: new) }
        guard kind == .vm else { return }
        let before = try decoder.decode(VMSpec.self, from: Data(old.utf8))
        let after = try decoder.decode(VMSpec.self, from: Data(new.utf8))
        var causes: [FieldDefect] = []
        func check<Value: Equatable>(_ field: String, _ value: (VMSpec) -> Value) {
            if value(before) != value(after) {
                causes.append(
                    FieldDefect(
                        field: "spec.\(field)", code: .immutable,
                        message: "cannot change; delete the VM and create it again"))
            }
        }
        check("cell", \.cell)
        check("pool", \.pool)
        check("flavor", \.flavor)
        check("resources", \.resources)
        check("devices", \.devices)
        check("class", \.class)
        check("hostSelector", \.hostSelector)
        check("antiAffinity", \.antiAffinity)
        check("onPartition", \.onPartition)
        check("run", \.run)
        check("image", \.image)
        check("group", \.group)
        if !causes.isEmpty { throw Problem(.invalid, detail: "the VM cannot be changed so", causes: causes) }
    }

    /// All but its description stands in the file.
    private static func checkModel(from old: String, to new: String) throws {
        let decoder = JSONDecoder()
        var before = try decoder.decode(ModelSpec.self, from: Data(old.utf8))
        let after = try decoder.decode(ModelSpec.self, from: Data(new.utf8))
        before.description = after.description
        guard before != after else { return }
        throw Problem(
            .invalid, detail: "the model cannot be changed so",
            causes: [
                FieldDefect(
                    field: "spec", code: .immutable,
                    message: "says what its file is, which never changes; create another model")
            ])
    }
}
