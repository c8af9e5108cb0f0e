internal import Glibc
internal import Shim

/// Watches over one part of a workload.
exit(ShimProgram.run(Array(CommandLine.arguments.dropFirst())))
