internal import APITypes
internal import Fleet

extension WhyCommand {
    static func presentation(of answer: TrainingWhyResponse) throws -> Presentation {
        let reference = "\(Kind.trainingJob.singular)/\(answer.name)"
        var fields = [
            Presentation.Field("Name", Text(reference)),
            .init("State", Text(answer.state.rawValue, answer.state.tone)),
            .init("Reason", Text(answer.reason.rawValue)), .init("Message", Text(answer.message)),
        ]
        if let shape = answer.shape {
            let devices = shape.placement.map(String.init).joined(separator: "+")
            fields.append(.init("Shape", Text("\(shape.plan) on \(devices) devices")))
        }
        if let wait = answer.wait {
            fields.append(.init("Missing", Text("\(wait.shortfallDevices) devices")))
        }
        if let position = answer.queuePosition { fields.append(.init("Queue", Text("position \(position)"))) }
        if let start = answer.startsAt ?? answer.wait?.startsAt {
            let time = Timestamp(seconds: start.seconds.rounded())
            fields.append(.init("Estimate", Text("starts about \(time)")))
        }
        if let change = answer.change { fields.append(.init("Change", Text(change.message))) }
        if let calibration = answer.calibration {
            let times = Text(
                "steps take \(calibration.scale) times what was predicted, by \(calibration.shapes) shapes")
            fields.append(.init("Measured", times))
        }
        fields.append(.init("Steps left", Text("\(answer.stepsLeft)")))
        if let end = answer.endsAt { fields.append(.init("Ends", Text("about \(end)"))) }
        return Presentation([.fields(fields)], names: [reference], value: try Serialization.tree(answer))
    }
}
