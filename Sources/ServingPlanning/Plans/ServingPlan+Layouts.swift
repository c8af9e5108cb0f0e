extension ServingPlan {
    /// Times and room of one of its groups.
    ///
    /// - Throws: `ServingError` of code `plan` for a name that no group has, and for a plan that cannot be.
    public func layoutModel(of group: String) throws(ServingError) -> LayoutModel {
        guard let found = groups.first(where: { $0.name == group }) else {
            throw ServingError(.plan, "no group \"\(group)\"", choices: groups.map(\.name), value: group)
        }
        return try BrokenPlan.layout(found, try inputs.problem().hardware)
    }
}
