internal import CShim
internal import Glibc

/// Why a command did not begin to run.
struct LaunchFailure: Error {
    var message: String
    /// As a shell would answer: 127 for a command that is not there, 126 for one that cannot run.
    var exitCode: Int32
}

extension ShimOrder {
    /// Starts the command.
    /// - Parameter output: descriptor for what it writes.
    func launch(output: Int32) throws(LaunchFailure) -> Int32 {
        guard let name = command.first, !name.isEmpty else {
            throw LaunchFailure(message: "the command is empty", exitCode: 127)
        }
        let executable = try executable(name)
        let lists = try openGroups()
        defer { for list in lists { close(list) } }
        var (step, code): (Int32, Int32) = (0, 0)
        let child = Self.withCStrings(command) { arguments in
            Self.withCStrings(environment) { variables in
                executable.withCString { path in
                    directory.withCString { directory in
                        lists.withUnsafeBufferPointer { lists in
                            var request = shim_command(
                                executable: path, arguments: arguments, environment: variables,
                                directory: directory, output: output, groups: lists.baseAddress,
                                group_count: Int32(lists.count), address_space: addressSpace,
                                niceness: niceness)
                            return shim_launch(&request, &step, &code)
                        }
                    }
                }
            }
        }
        guard child > 0 else { throw failure(executable, step: step, code: code) }
        return child
    }

    /// A path as it is, a name as `PATH` finds it.
    private func executable(_ name: String) throws(LaunchFailure) -> String {
        if name.contains("/") { return name }
        let variable = environment.last { $0.hasPrefix("PATH=") }?.dropFirst("PATH=".count)
        let folders = (variable ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":")
        for folder in folders {
            let path = "\(folder)/\(name)"
            if access(path, X_OK) == 0 { return path }
        }
        throw LaunchFailure(message: "command not found: \(name)", exitCode: 127)
    }

    private func openGroups() throws(LaunchFailure) -> [Int32] {
        var lists: [Int32] = []
        for group in groups {
            let list = open("\(group)/cgroup.procs", O_WRONLY | O_CLOEXEC)
            guard list >= 0 else {
                let reason = String(cString: strerror(errno))
                for list in lists { close(list) }
                throw LaunchFailure(message: "the control group \(group): \(reason)", exitCode: 126)
            }
            lists.append(list)
        }
        return lists
    }

    private func failure(_ executable: String, step: Int32, code: Int32) -> LaunchFailure {
        let reason = String(cString: strerror(code))
        switch UInt32(bitPattern: step) {
        case shim_step_exec.rawValue where code == ENOENT:
            return LaunchFailure(message: "command not found: \(executable)", exitCode: 127)
        case shim_step_exec.rawValue:
            return LaunchFailure(message: "\(executable) cannot run: \(reason)", exitCode: 126)
        case shim_step_directory.rawValue:
            return LaunchFailure(message: "the directory \(directory): \(reason)", exitCode: 126)
        case shim_step_group.rawValue:
            return LaunchFailure(message: "the control group cannot be joined: \(reason)", exitCode: 126)
        case shim_step_limit.rawValue:
            return LaunchFailure(message: "the limits cannot be set: \(reason)", exitCode: 126)
        default: return LaunchFailure(message: "no process can be made: \(reason)", exitCode: 126)
        }
    }

    /// Calls `body` with a NULL-terminated array of C strings that live until it returns.
    private static func withCStrings<Result>(
        _ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        var pointers = strings.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        return pointers.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { preconditionFailure("the array holds a NULL") }
            return body(base)
        }
    }
}
