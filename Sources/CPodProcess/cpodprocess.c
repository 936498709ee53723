#if defined(__linux__)
#define _GNU_SOURCE
#include "cpodprocess.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

struct failure {
    int stage;
    int error;
};

static void fail(int channel, int stage) {
    struct failure failure = {stage, errno};
    ssize_t written = write(channel, &failure, sizeof failure);
    (void)written;
    _exit(127);
}

static void become(const struct cpod_spec *spec, int channel, pid_t parent) {
    // The mask and the ignored signals of the runtime are not the container's.
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);

    setsid();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);

    if (spec->bind_count > 0 || spec->hostname != NULL) {
        int flags = (spec->bind_count > 0 ? CLONE_NEWNS : 0) | (spec->hostname != NULL ? CLONE_NEWUTS : 0);
        if (unshare(flags) != 0) fail(channel, CPOD_NAMESPACE);
        if (spec->hostname != NULL && sethostname(spec->hostname, strlen(spec->hostname)) != 0) fail(channel, CPOD_NAMESPACE);
        if (spec->bind_count > 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) fail(channel, CPOD_NAMESPACE);
        for (size_t i = 0; i < spec->bind_count; i++)
            if (mount(spec->binds[i].source, spec->binds[i].target, NULL, MS_BIND, NULL) != 0) fail(channel, CPOD_NAMESPACE);
    }

    if (spec->input >= 0) {
        dup2(spec->input, 0);
        if (spec->is_terminal) ioctl(0, TIOCSCTTY, 0);
    } else {
        int null = open("/dev/null", O_RDONLY);
        if (null > 0) dup2(null, 0);
    }
    dup2(spec->output, 1);
    dup2(spec->error, 2);
    if (syscall(SYS_close_range, 3, ~0U, 4 /* CLOSE_RANGE_CLOEXEC */) != 0)
        for (int fd = 3; fd < 4096; fd++)
            if (fd != channel) close(fd);
    if (spec->directory != NULL && chdir(spec->directory) != 0) fail(channel, CPOD_DIRECTORY);
    execve(spec->path, spec->argv, spec->envp);
    fail(channel, CPOD_EXEC);
}

int cpod_spawn(const struct cpod_spec *spec, pid_t *pid, int *pidfd, int *stage) {
    int channel[2];
    *stage = CPOD_FORK;
    if (pipe2(channel, O_CLOEXEC) != 0) return errno;

    // No handler of this process may run in the child before it has its own dispositions.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t parent = getpid();
    pid_t child = fork();
    if (child == 0) {
        close(channel[0]);
        become(spec, channel[1], parent);
    }
    int error = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(channel[1]);
    if (child < 0) {
        close(channel[0]);
        return error;
    }

    struct failure failure;
    ssize_t count;
    do count = read(channel[0], &failure, sizeof failure);
    while (count < 0 && errno == EINTR);
    close(channel[0]);
    if (count == (ssize_t)sizeof failure) {
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {}
        *stage = failure.stage;
        return failure.error;
    }
    int descriptor = (int)syscall(SYS_pidfd_open, child, 0);
    if (descriptor < 0) {
        error = errno;
        kill(child, SIGKILL);
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {}
        return error;
    }
    *pid = child;
    *pidfd = descriptor;
    return 0;
}

int cpod_reap(int pidfd, int *exited, int *code) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    if (waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG) != 0 || info.si_pid == 0) return 0;
    *exited = info.si_code == CLD_EXITED;
    *code = info.si_status;
    return 1;
}
#endif
