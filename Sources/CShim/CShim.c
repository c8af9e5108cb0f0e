#define _GNU_SOURCE
#include "CShim.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/// How a failed child tells its parent.
struct failure {
    int step;
    int error;
};

static void give_up(int report, int step) {
    struct failure failure = {step, errno};
    // Nobody is left to tell when this fails; the exit status says so too.
    if (write(report, &failure, sizeof failure) < 0) _exit(126);
    _exit(127);
}

static void enter(const struct shim_command *command, pid_t parent, int report) {
    if (setsid() < 0) give_up(report, shim_step_session);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) give_up(report, shim_step_session);
    // The parent may have ended before it was watched.
    if (getppid() != parent) _exit(127);
    for (int i = 0; i < command->group_count; i++)
        if (write(command->groups[i], "0", 1) < 0) give_up(report, shim_step_group);
    if (command->address_space > 0) {
        struct rlimit limit = {command->address_space, command->address_space};
        if (setrlimit(RLIMIT_AS, &limit) < 0) give_up(report, shim_step_limit);
    }
    if (command->niceness != 0 && setpriority(PRIO_PROCESS, 0, command->niceness) < 0)
        give_up(report, shim_step_limit);
    if (chdir(command->directory) < 0) give_up(report, shim_step_directory);
    int null = open("/dev/null", O_RDONLY);
    if (null < 0 || dup2(null, 0) < 0 || dup2(command->output, 1) < 0 || dup2(command->output, 2) < 0)
        give_up(report, shim_step_output);
    syscall(SYS_close_range, 3u, ~0u, CLOSE_RANGE_CLOEXEC);
    signal(SIGPIPE, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(command->executable, command->arguments, command->environment);
    give_up(report, shim_step_exec);
}

pid_t shim_launch(const struct shim_command *command, int *step, int *error) {
    int report[2];
    *step = shim_step_fork;
    if (pipe2(report, O_CLOEXEC) < 0) {
        *error = errno;
        return -1;
    }
    pid_t parent = getpid();
    pid_t child = fork();
    if (child == 0) enter(command, parent, report[1]);
    *error = errno;
    close(report[1]);
    struct failure failure = {0, 0};
    ssize_t count = 0;
    if (child > 0) {
        do count = read(report[0], &failure, sizeof failure);
        while (count < 0 && errno == EINTR);
    }
    close(report[0]);
    if (child < 0 || count == 0) return child;
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {}
    *step = failure.step;
    *error = failure.error;
    return -1;
}

int shim_become_subreaper(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }

int shim_signal_descriptor(void) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0) return -1;
    return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

int shim_next_signal(int descriptor) {
    struct signalfd_siginfo info;
    return read(descriptor, &info, sizeof info) == sizeof info ? (int)info.ssi_signo : 0;
}

void shim_close_from(unsigned first) { syscall(SYS_close_range, first, ~0u, 0); }

int shim_reserve(int descriptor, off_t bytes) {
    off_t end = lseek(descriptor, 0, SEEK_END);
    return end < 0 ? -1 : fallocate(descriptor, FALLOC_FL_KEEP_SIZE, end, bytes);
}

int shim_file_limit(pid_t process, const uint64_t *soft, uint64_t *old_soft) {
    struct rlimit old;
    if (prlimit(process, RLIMIT_FSIZE, NULL, &old) < 0) return -1;
    *old_soft = old.rlim_cur;
    if (!soft) return 0;
    struct rlimit new = {*soft, old.rlim_max};
    return prlimit(process, RLIMIT_FSIZE, &new, NULL);
}
