#ifndef CSHIM_H
#define CSHIM_H

#include <stdint.h>
#include <sys/types.h>

/// What runs under a shim.
struct shim_command {
    const char *executable;
    /// Both end with NULL.
    char *const *arguments;
    char *const *environment;
    const char *directory;
    /// Descriptor for standard output and standard error.
    int output;
    /// Descriptors of the process lists of control groups to join.
    const int *groups;
    int group_count;
    /// Bytes of address space; 0 for no bound.
    uint64_t address_space;
    int niceness;
};

/// Steps between fork and exec, told when one fails.
enum shim_step {
    shim_step_fork = 1,
    shim_step_session,
    shim_step_group,
    shim_step_limit,
    shim_step_directory,
    shim_step_output,
    shim_step_exec,
};

/// Starts the command in a session of its own, to be killed by the kernel when the caller ends.
///
/// Written in C because only async-signal-safe calls may stand between fork and exec.
/// Returns its process id once it runs; -1 with the step and its errno when it does not.
pid_t shim_launch(const struct shim_command *command, int *step, int *error);

/// Orphans below this process become its children. Returns 0, or -1 with errno.
int shim_become_subreaper(void);

/// Blocks SIGCHLD, SIGTERM, SIGINT and SIGHUP and returns a descriptor that reads them; -1 with errno.
int shim_signal_descriptor(void);

/// The next signal that arrived; 0 when there is none.
int shim_next_signal(int descriptor);

/// Keeps room for `bytes` more behind the end of a file, without growing it. Returns 0, or -1 with errno.
int shim_reserve(int descriptor, off_t bytes);

/// Largest file that a process may write, in bytes: tells the soft limit in force, and sets another one
/// unless `soft` is NULL. Returns 0, or -1 with errno.
int shim_file_limit(pid_t process, const uint64_t *soft, uint64_t *old_soft);

/// Closes every descriptor from `first` on.
void shim_close_from(unsigned first);

#endif
