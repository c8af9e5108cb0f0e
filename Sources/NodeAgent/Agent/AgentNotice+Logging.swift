internal import AgentProtocol
internal import Fleet
internal import Logging

extension AgentNotice {
    /// One event per decision; `error` means a person should look.
    func log(to logger: Logger) {
        switch self {
        case .greeted(let incarnation, let epoch):
            logger.info(
                "session greeted",
                metadata: ["session.incarnation": "\(incarnation)", "epoch": "\(epoch)"])
        case .hostRefused(let host):
            logger.error(
                "the controllers refuse the host",
                metadata: [
                    "host.name": "\(host.name)", "reason": "\(host.reason.rawValue)",
                    "detail": "\(host.message)",
                ])
        case .assignmentRefused(let host, let generation, let refusal):
            logger.error(
                "assignment refused",
                metadata: [
                    "host.name": "\(host)", "generation": "\(generation.epoch).\(generation.number)",
                    "refusal": "\(refusal)",
                ])
        case .partRefused(let part):
            logger.warning(
                "the controllers refuse a report",
                metadata: [
                    "host.name": "\(part.host)", "allocation.id": "\(part.allocation)",
                    "reason": "\(part.reason.rawValue)", "detail": "\(part.message)",
                ])
        case .partLost(let key): logger.error("the runtime lost a part", metadata: key.metadata)
        case .partFailed(let key, let message):
            logger.warning(
                "part failed", metadata: key.metadata.merging(["detail": "\(message)"]) { $1 })
        case .runtimeCallFailed(let call, let error):
            logger.warning(
                "runtime call failed", metadata: ["call": "\(call)", "error": "\(error)"])
        case .callFailed(let call, let error, let failures):
            logger.log(
                level: error.logLevel, "call to the control plane failed",
                metadata: ["call": "\(call)", "error": "\(error)", "failures": "\(failures)"])
        case .staleEpoch(let answered, let known):
            logger.error(
                "answer of an earlier epoch", metadata: ["epoch": "\(answered)", "known": "\(known)"])
        case .unsafeLease(let defect):
            logger.error("the lease is not safe to fence by", metadata: ["defect": "\(defect)"])
        }
    }
}

extension PartKey {
    fileprivate var metadata: Logger.Metadata {
        ["host.name": "\(host)", "allocation.id": "\(allocation)"]
    }
}

extension ControlPlaneError {
    fileprivate var logLevel: Logger.Level {
        switch self {
        case .unavailable: .warning
        case .superseded, .unauthorized, .refused: .error
        }
    }
}
