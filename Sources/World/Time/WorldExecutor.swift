internal import Foundation
internal import Synchronization

/// Runs every task of a world, one job after another in the order in which they became ready: with one clock
/// and no second thread, what happens depends on the seed alone.
///
/// Tasks of a world are children of one that prefers this executor, actors and `@concurrent` functions
/// included, so that nothing runs elsewhere.
final class WorldExecutor: TaskExecutor {
    private struct State {
        var jobs: [UnownedJob] = []
        var isFinished = false
        /// The one that runs jobs; nil before the first.
        var thread: pthread_t?
        /// Jobs that came from another thread: part of the world ran elsewhere, at a time that nobody
        /// controls.
        var strays = 0
    }

    private let state = Mutex(State())

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let thread = pthread_self()
        state.withLock { state in
            state.jobs.append(job)
            if let runner = state.thread, runner != thread { state.strays += 1 }
        }
    }

    var strays: Int { state.withLock { $0.strays } }

    /// Nothing is to be waited for any more.
    func finish() { state.withLock { $0.isFinished = true } }

    /// Runs jobs, and lets the clock jump whenever none is ready, until `finish`.
    ///
    /// - Returns: jobs that ran; nil when nothing is left that could ever finish: something waits for what is
    ///   not of this world.
    func run(_ clock: VirtualClock) -> Int? {
        let executor = asUnownedTaskExecutor()
        var count = 0
        let thread = pthread_self()
        state.withLock { $0.thread = thread }
        var jobs: [UnownedJob] = []
        while true {
            jobs.removeAll(keepingCapacity: true)
            let isFinished = state.withLock { state in
                swap(&jobs, &state.jobs)
                return state.isFinished
            }
            for job in jobs { job.runSynchronously(on: executor) }
            count += jobs.count
            if jobs.isEmpty {
                if isFinished { return count }
                if !clock.advance() { return nil }
            }
        }
    }
}
