#if defined(__linux__)
#define _GNU_SOURCE
#include "cpodprocess.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
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

// Makes the folders that lead to `path`, and the path itself as a folder or an empty file. Failing shows at the mount.
static void make_mount_point(char *path, int is_file) {
    for (char *p = path + 1; *p != 0; p++) {
        if (*p != '/') continue;
        *p = 0;
        mkdir(path, 0755);
        *p = '/';
    }
    if (!is_file) {
        mkdir(path, 0755);
    } else {
        int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
        if (fd >= 0) close(fd);
    }
}

// Writes the texts one after the other into `buffer`; -1 when it is too small.
static int join_texts(char *buffer, size_t size, const char *const *texts, size_t count) {
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(texts[i]);
        if (used + length + 1 > size) {
            errno = ENAMETOOLONG;
            return -1;
        }
        memcpy(buffer + used, texts[i], length);
        used += length;
    }
    buffer[used] = 0;
    return 0;
}
#define JOIN(buffer, ...) \
    join_texts(buffer, sizeof buffer, (const char *[]){__VA_ARGS__}, sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *))

static int mount_bind(const struct cpod_bind *bind, const char *prefix) {
    char target[4096];
    if (JOIN(target, prefix, bind->target) != 0) return -1;
    if (*prefix != 0) make_mount_point(target, bind->flags & CPOD_FILE);
    int recursive = bind->flags & CPOD_RECURSIVE ? MS_REC : 0;
    if (mount(bind->source, target, NULL, MS_BIND | recursive, NULL) != 0) return -1;
    if (bind->flags & CPOD_READ_ONLY) return mount(NULL, target, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL);
    return 0;
}

// Mounts what the machine has at `bind->source` below a part of the layer of its own; -1 where that cannot be.
static int mount_layered(const struct cpod_spec *spec, const struct cpod_bind *bind, const char *prefix) {
    char upper[4096], work[4096], target[4096], options[4096 * 3];
    if (JOIN(upper, spec->root, "/lu") != 0 || JOIN(work, spec->root, "/lw") != 0
        || JOIN(target, prefix, bind->target) != 0
        || JOIN(options, "lowerdir=", bind->source, ",upperdir=", upper, ",workdir=", work) != 0)
        return -1;
    if (mkdir(upper, 0755) != 0 || mkdir(work, 0755) != 0) return -1;
    return mount("kiada-layered", target, "overlay", 0, options);
}

// Puts the file system of `spec->root` together and moves into it.
static int enter_root(const struct cpod_spec *spec) {
    char upper[4096], work[4096], merged[4096], options[4096 * 2 + 64], proc[4096];
    if (JOIN(upper, spec->root, "/u") != 0 || JOIN(work, spec->root, "/w") != 0 || JOIN(merged, spec->root, "/m") != 0
        || JOIN(proc, merged, "/proc") != 0
        || JOIN(options, "lowerdir=/,upperdir=", upper, ",workdir=", work) != 0)
        return -1;
    // The layer needs a file system of its own: it may not be part of what it lies upon.
    if (mount("kiada-layer", spec->root, "tmpfs", 0, "mode=755,size=1g") != 0) return -1;
    if (mkdir(upper, 0755) != 0 || mkdir(work, 0755) != 0 || mkdir(merged, 0755) != 0) return -1;
    if (mount("kiada-root", merged, "overlay", 0, options) != 0) return -1;
    int is_all_layered = 1;
    for (size_t i = 0; i < spec->bind_count; i++) {
        const struct cpod_bind *bind = &spec->binds[i];
        if (bind->flags & CPOD_LAYERED) {
            if (mount_layered(spec, bind, merged) == 0) continue;
            is_all_layered = 0;
        }
        if (bind->flags & CPOD_IN_LAYER && !is_all_layered) continue;
        if (mount_bind(bind, merged) != 0 && !(bind->flags & CPOD_OPTIONAL)) return -1;
    }
    if (mount("proc", proc, "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) != 0) return -1;
    if (chdir(merged) != 0 || syscall(SYS_pivot_root, ".", ".") != 0) return -1;
    if (umount2(".", MNT_DETACH) != 0) return -1;
    return chdir("/");
}

static void become(const struct cpod_spec *spec, int channel, const int *namespaces) {
    // The mask and the ignored signals of the runtime are not the container's.
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);

    setsid();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    // A runtime that has ended meanwhile no longer holds the other end. (Its number cannot be seen in a namespace.)
    struct pollfd end = {channel, 0, 0};
    if (poll(&end, 1, 0) > 0) _exit(127);

    if (spec->join != 0) {
        if (setns(namespaces[1], CLONE_NEWUTS) != 0 || setns(namespaces[2], CLONE_NEWNS) != 0)
            fail(channel, CPOD_NAMESPACE);
    } else if (spec->bind_count > 0 || spec->hostname != NULL || spec->root != NULL) {
        int has_mounts = spec->bind_count > 0 || spec->root != NULL;
        int flags = (has_mounts ? CLONE_NEWNS : 0) | (spec->hostname != NULL ? CLONE_NEWUTS : 0);
        if (unshare(flags) != 0) fail(channel, CPOD_NAMESPACE);
        if (spec->hostname != NULL && sethostname(spec->hostname, strlen(spec->hostname)) != 0) fail(channel, CPOD_NAMESPACE);
        if (has_mounts && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) fail(channel, CPOD_NAMESPACE);
        if (spec->root != NULL) {
            if (enter_root(spec) != 0) fail(channel, CPOD_MOUNT);
        } else {
            for (size_t i = 0; i < spec->bind_count; i++)
                if (mount_bind(&spec->binds[i], "") != 0 && !(spec->binds[i].flags & CPOD_OPTIONAL)) fail(channel, CPOD_MOUNT);
        }
    }
    if (spec->is_trial) _exit(0);

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

// A fork whose child is the first process of a new process namespace, if `has_own_numbers`.
static pid_t fork_process(int has_own_numbers) {
    if (!has_own_numbers) return fork();
    return (pid_t)syscall(SYS_clone, (unsigned long)(CLONE_NEWPID | SIGCHLD), 0UL, 0UL, 0UL, 0UL);
}

// Opens the namespaces of a process: for process numbers, the host name and mounts.
static int open_namespaces(pid_t process, int *namespaces) {
    static const char *const names[] = {"pid", "uts", "mnt"};
    for (int i = 0; i < 3; i++) {
        char path[64];
        snprintf(path, sizeof path, "/proc/%d/ns/%s", (int)process, names[i]);
        namespaces[i] = open(path, O_RDONLY | O_CLOEXEC);
        if (namespaces[i] < 0) return -1;
    }
    return 0;
}

int cpod_spawn(const struct cpod_spec *spec, pid_t *pid, int *pidfd, int *stage) {
    int channel[2];
    int namespaces[] = {-1, -1, -1};
    int own_numbers = -1;
    *stage = CPOD_FORK;
    if (pipe2(channel, O_CLOEXEC) != 0) return errno;
    if (spec->join != 0) {
        // This thread's children are born in the other's process namespace, until it goes back to its own.
        own_numbers = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
        if (own_numbers < 0 || open_namespaces(spec->join, namespaces) != 0 || setns(namespaces[0], CLONE_NEWPID) != 0) {
            int error = errno;
            *stage = CPOD_NAMESPACE;
            for (int i = 0; i < 3; i++)
                if (namespaces[i] >= 0) close(namespaces[i]);
            if (own_numbers >= 0) close(own_numbers);
            close(channel[0]);
            close(channel[1]);
            return error;
        }
    }

    // No handler of this process may run in the child before it has its own dispositions.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t child = fork_process(spec->join == 0 && spec->root != NULL);
    if (child == 0) {
        close(channel[0]);
        become(spec, channel[1], namespaces);
    }
    int error = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (spec->join != 0) {
        setns(own_numbers, CLONE_NEWPID);
        close(own_numbers);
        for (int i = 0; i < 3; i++) close(namespaces[i]);
    }
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
