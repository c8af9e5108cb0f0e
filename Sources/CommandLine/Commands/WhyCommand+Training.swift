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
            if let start = wait.startsAt { fields.append(.init("Estimate", Text("starts about \(start)"))) }
        }
        fields.append(.init("Steps left", Text("\(answer.stepsLeft)")))
        if let end = answer.endsAt { fields.append(.init("Ends", Text("about \(end)"))) }
        return Presentation([.fields(fields)], names: [reference], value: try Serialization.tree(answer))
    }
}
