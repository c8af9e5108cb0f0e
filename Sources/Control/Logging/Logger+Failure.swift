internal import Logging
internal import Store

extension Logger {
    /// One line for an error after which a controller goes on: a warning when it is expected now and then, an
    /// error when a person should look.
    func failure(_ message: Logger.Message, _ error: any Error, _ metadata: Logger.Metadata = [:]) {
        let known = error as? StoreError
        var metadata = metadata
        metadata["code"] = "\(known?.code ?? "unknown")"
        metadata["error"] = "\(error)"
        log(level: known?.isExpected == true ? .warning : .error, message, metadata: metadata)
    }
}
