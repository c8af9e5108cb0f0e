internal import Foundation
public import ServingPlanning

/// A serving plan as a drawing: prefill groups to the left, decode groups to the right, and between them
/// routes as wide as the share of the requests that takes them, the redder the busier their links are.
public struct ServingPlanDrawing: Sendable {
    private static let boxWidth = 300.0
    private static let rightBox = 560.0
    private static let lineHeight = 16.0
    private static let gap = 18.0
    private static let top = 50.0
    private static let margin = 20.0
    /// Pixels of a route that all requests take.
    private static let widest = 24.0

    private let plan: ServingPlan

    public init(_ plan: ServingPlan) { self.plan = plan }

    private struct Box {
        var x: Double
        var y: Double
        var height: Double
        var group: ServingPlan.Group
    }

    /// A whole SVG document.
    public var text: String {
        let left = boxes(plan.groups.filter { $0.phase != .decode }, x: Self.margin)
        let right = boxes(plan.groups.filter { $0.phase == .decode }, x: Self.rightBox)
        let bottom = (left + right).map { $0.y + $0.height }.max() ?? Self.top
        let width = Int(Self.rightBox + Self.boxWidth + Self.margin)
        let height = Int(bottom + 40)
        let title =
            "\(plan.model), \(number(plan.rate)) requests/s: \(percent(plan.predicted.attainment)) in time, "
            + "$\(number(plan.costPerHour))/h"
        var lines = [
            """
            <svg xmlns="http://www.w3.org/2000/svg" width="\(width)" height="\(height)" \
            viewBox="0 0 \(width) \(height)" font-family="sans-serif" font-size="12">
            """,
            "<title>Serving plan</title>", "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>",
            label(title, x: Self.margin, y: 24, size: 14),
        ]
        lines += plan.routes.flatMap { route($0, left, right) }
        lines += (left + right).flatMap(drawn)
        return (lines + ["</svg>"]).joined(separator: "\n") + "\n"
    }

    private func boxes(_ groups: [ServingPlan.Group], x: Double) -> [Box] {
        var y = Self.top
        return groups.map { group in
            let height = Self.lineHeight * Double(group.stages.count + 1) + 10
            defer { y += height + Self.gap }
            return Box(x: x, y: y, height: height, group: group)
        }
    }

    private func drawn(_ box: Box) -> [String] {
        let fills: [Phase: String] = [.prefill: "#fde6d2", .decode: "#d6e8f7", .both: "#e3f1dc"]
        let group = box.group
        let rates =
            "\(number(group.prefillRate)) prompts/s, \(number(group.decodeRate)) requests/s, "
            + "$\(number(group.costPerHour))/h"
        var lines = [
            """
            <rect x="\(number(box.x))" y="\(number(box.y))" width="\(number(Self.boxWidth))" \
            height="\(number(box.height))" rx="4" fill="\(fills[group.phase] ?? "")" stroke="#555555"/>
            """,
            label("\(group.name) \(group.phase.rawValue): \(rates)", x: box.x + 8, y: box.y + 16),
        ]
        for (index, stage) in group.stages.enumerated() {
            lines.append(
                label(
                    "\(stage.node): \(stage.gpus.count) x \(stage.type), \(stage.layers) layers",
                    x: box.x + 20, y: box.y + 16 + Self.lineHeight * Double(index + 1)))
        }
        return lines
    }

    private func route(_ route: ServingPlan.Route, _ left: [Box], _ right: [Box]) -> [String] {
        guard let from = left.first(where: { $0.group.name == route.prefill }) else { return [] }
        let y1 = from.y + from.height / 2
        let x1 = from.x + Self.boxWidth
        guard let to = right.first(where: { $0.group.name == route.decode }) else {
            return [label(percent(route.share), x: x1 + 8, y: y1 + 4)]
        }
        let y2 = to.y + to.height / 2
        let words =
            "\(percent(route.share)), \(number(route.transferSeconds * 1000)) ms, "
            + "\(percent(route.attainment)) in time" + load(route)
        return [
            """
            <line x1="\(number(x1))" y1="\(number(y1))" x2="\(number(to.x))" y2="\(number(y2))" \
            stroke="\(color(route))" stroke-opacity="0.6" stroke-width="\(number(max(1, route.share * Self.widest)))">\
            <title>\(words)</title></line>
            """,
            label(
                "\(percent(route.share)) \(number(route.transferSeconds * 1000)) ms" + load(route),
                x: x1 + (to.x - x1) * 0.3, y: y1 + (y2 - y1) * 0.3 - 6),
        ]
    }

    /// What is on its way, and how busy that makes the links.
    private func load(_ route: ServingPlan.Route) -> String {
        guard let bytes = route.bytesPerSecond, let use = route.linkUse else { return "" }
        return ", \(number(bytes / 1e6)) MB/s, links \(percent(use)) busy"
    }

    /// From grey to red as the links of a route fill.
    private func color(_ route: ServingPlan.Route) -> String {
        let use = min(max(route.linkUse ?? 0, 0), 1)
        func part(_ idle: Double, _ busy: Double) -> String {
            String(format: "%02x", Int(idle + (busy - idle) * use))
        }
        return "#" + part(138, 214) + part(138, 39) + part(138, 40)
    }

    private func label(_ text: String, x: Double, y: Double, size: Int = 12) -> String {
        let clean = text.replacingOccurrences(of: "&", with: "&amp;")
            .replacingOccurrences(of: "<", with: "&lt;").replacingOccurrences(of: ">", with: "&gt;")
        return
            "<text x=\"\(number(x))\" y=\"\(number(y))\" font-size=\"\(size)\" fill=\"#333333\">\(clean)</text>"
    }

    private func percent(_ share: Double) -> String { String(format: "%.1f%%", share * 100) }

    private func number(_ value: Double) -> String { String(format: "%.2f", value) }
}
