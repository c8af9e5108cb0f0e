internal import Foundation
internal import NodeAgent
internal import ProgramShell

extension SystemSeams {
    static let clock = SystemAgentClock(
        bootID: SystemAgentClock.currentBootID() ?? UUID().uuidString)
}
