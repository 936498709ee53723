#pragma once

// Starts the process of a container. This is C because everything between fork() and execve()
// must be free of allocation, locks and language runtimes.

#include <sys/types.h>

struct cpod_bind {
    const char *source;
    const char *target;
};

struct cpod_spec {
    const char *path;             // absolute path of the program
    char *const *argv;            // ends in NULL
    char *const *envp;            // ends in NULL
    const char *directory;        // working directory, or NULL
    const char *hostname;         // host name in a UTS namespace of its own, or NULL
    const struct cpod_bind *binds; // files bind-mounted in a mount namespace of its own
    size_t bind_count;
    int input;                    // becomes standard input; -1 for /dev/null
    int is_terminal;              // input is a terminal, which the process controls
    int output;                   // becomes standard output
    int error;                    // becomes standard error
};

// The step that failed, for the message.
enum cpod_stage {
    CPOD_FORK = 1,
    CPOD_NAMESPACE = 2,
    CPOD_DIRECTORY = 3,
    CPOD_EXEC = 4,
};

// Starts a process in a session of its own that gets SIGKILL when the calling *thread* ends
// (so call it from a thread that lives as long as the runtime). No other descriptor than the three is inherited. On success 0, with the process in *pid and a descriptor
// that becomes readable when it ends in *pidfd; on failure an errno value and *stage.
int cpod_spawn(const struct cpod_spec *spec, pid_t *pid, int *pidfd, int *stage);

// Collects the ended process behind pidfd: 1 and its wait status if it has ended, else 0.
int cpod_reap(int pidfd, int *exited, int *code);
