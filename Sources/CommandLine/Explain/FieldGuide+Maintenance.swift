internal import Fleet

extension FieldGuide {
    static func maintenance(_ whose: String) -> [Entry] {
        let path = "spec.maintenance"
        return [
            Entry(path, "object", "When drains of \(whose) may go on; at any time when absent."),
            Entry("\(path).windows", "list", "Drains go on inside one of these only; none waits for due."),
            Entry(
                "\(path).windows.days", "list",
                "Weekdays: \(choices(MaintenanceWindow.Weekday.self)); all when absent."),
            Entry("\(path).windows.start", "string, required", "HH:MM in UTC, such as 02:30."),
            Entry("\(path).windows.durationMinutes", "integer, required", "May reach into the next days."),
            Entry("\(path).due", "time", "From then on drains go on at any time."),
        ]
    }

    static let drain = [
        Entry("spec.drain", "object", "How the drain goes about it."),
        Entry(
            "spec.drain.due", "time",
            "When the host is to be empty; VMs are left to end by themselves while there is slack."),
        Entry("spec.drain.purpose", "string", "\(choices(DrainSpec.Purpose.self)); maintenance when absent."),
        Entry("spec.drain.deadline", "time", "When what is left is stopped, or waited for."),
        Entry("spec.drain.atDeadline", "string", "\(choices(DrainSpec.AtDeadline.self)); wait when absent."),
        Entry("spec.drain.maxParallel", "integer", "Workloads of the host disrupted at once."),
        Entry("spec.drain.force", "boolean", "Also outside of maintenance windows."),
    ]

    static let emptying: [Entry] = {
        let (budgets, moves, whole) = ("spec.disruptionBudgets", "spec.migrations", "spec.defragmentation")
        return [
            Entry(budgets, "list", "What drains of the pool's hosts must leave running."),
            Entry("\(budgets).project", "string", "Project of the workloads; any when absent."),
            Entry("\(budgets).selector", "map of strings", "Labels of the workloads; all when absent."),
            Entry("\(budgets).maxDisrupted", "integer, required", "Workloads that may be down at once."),
            Entry(moves, "object", "How VMs move when hosts of the pool are emptied."),
            Entry(
                "\(moves).order", "string",
                "\(choices(MigrationRules.Order.self)); longest-first when absent."),
            Entry(
                "\(moves).slotsPerHost", "integer, 1 to 1000",
                "VMs of a host on their way at once; \(MigrationRules.usualHostSlots) when absent."),
            Entry(
                "\(moves).slotsPerPool", "integer, 1 to 10000",
                "VMs of the pool on their way at once; \(MigrationRules.usualPoolSlots) when absent."),
            Entry(
                "\(moves).minutesPerMove", "integer, 1 to 1440",
                "What a move is taken to last; \(MigrationRules.usualMinutes) when absent."),
            Entry(
                "\(moves).resortMinutes", "integer, 1 to 1440",
                "How long an order holds; \(MigrationRules.usualResortMinutes) when absent."),
            Entry(
                "\(moves).coolDownHours", "integer, 0 to 8784",
                "How long a VM that moved is left alone; \(MigrationRules.usualCoolDownHours) when absent."),
            Entry(whole, "object", "When hosts are emptied so that more of them are whole."),
            Entry("\(whole).mode", "string", "\(choices(DefragmentationRules.Mode.self)); off when absent."),
            Entry(
                "\(whole).targetEmptyPerMille", "integer, 0 to 1000",
                "Share of the hosts that shall be empty; 30 when absent."),
            Entry(
                "\(whole).marginPerMille", "integer, 0 to 1000",
                "How far above the target it ends; 10 when absent."),
            Entry(
                "\(whole).afterMinutes", "integer, 0 to 10080",
                "How long the share must be below the target; 15 when absent."),
            Entry(
                "\(whole).maxDrainingPerMille", "integer, 0 to 1000",
                "Share of the hosts emptied at once, one at least; 20 when absent."),
        ]
    }()
}
