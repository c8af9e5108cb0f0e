package import Fleet

extension Resource {
    /// What field selectors compare, by the name in the selector: the document's name, its cell, and of its
    /// kind the selectable fields. What is absent is left out, and is equal to nothing.
    package func selectedFields() throws -> [String: String] {
        var fields = ["name": metadata.name]
        fields["cell"] = try DocumentReference.cell(
            of: kind, name: metadata.name, spec: spec, status: status)
        guard !kind.selectableFields.isEmpty else { return fields }
        let (spec, status) = (try JSONContent(spec), try JSONContent(status))
        for path in kind.selectableFields {
            let names = path.split(separator: ".").map(String.init)
            let root = names.first == "spec" ? spec : status
            fields[path] = names.dropFirst().reduce(Optional(root)) { $0?[$1] }?.text
        }
        return fields
    }
}
