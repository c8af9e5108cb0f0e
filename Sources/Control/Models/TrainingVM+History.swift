public import Fleet
public import LifetimeTraining
internal import VMPlacement

extension TrainingVM {
    /// A VM of a fleet's history; one that runs counts as long as it was seen.
    ///
    /// - Parameter now: on the fleet clock.
    public init(_ record: VMHistoryRecord, now: Timestamp) {
        let seconds = (record.endedAt ?? now).since(record.startedAt).inSeconds
        self.init(
            LifetimeObservation(
                features: VMFeatures(record), seconds: max(0, seconds), hasEnded: record.endedAt != nil),
            startedAt: record.startedAt.seconds)
    }
}
