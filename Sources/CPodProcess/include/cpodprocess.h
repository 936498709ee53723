#pragma once

// Starts the process of a container. This is C because everything between fork() and execve()
// must be free of allocation, locks and language runtimes.

#include <sys/types.h>

enum cpod_bind_flags {
    CPOD_RECURSIVE = 1,  // with the mounts below it
    CPOD_READ_ONLY = 2,
    CPOD_OPTIONAL = 4,   // left out if it cannot be mounted
    CPOD_FILE = 8,       // the mount point is a file; else a folder
    CPOD_LAYERED = 16,   // what is written there goes into the layer, too; where that cannot be, a plain mount
    CPOD_IN_LAYER = 32,  // left out where a layered mount became a plain one, which its mount point would be left in
};

struct cpod_bind {
    const char *source;
    const char *target;
    int flags;
};

struct cpod_spec {
    const char *path;             // absolute path of the program
    char *const *argv;            // ends in NULL
    char *const *envp;            // ends in NULL
    const char *directory;        // working directory, or NULL
    const char *hostname;         // host name in a UTS namespace of its own, or NULL
    // An empty folder, or NULL. The process gets a file system and process numbers of its own: the machine's files below a
    // layer in memory that takes what is written and goes with the process. The folder is where that is put together.
    const char *root;
    const struct cpod_bind *binds; // mounted in a mount namespace of its own; mount points are made if there is a root
    size_t bind_count;
    pid_t join;                   // runs in the namespaces of this process; 0 for none
    int is_trial;                 // ends with code 0 instead of becoming the program
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
    CPOD_MOUNT = 5,
};

// Starts a process in a session of its own that gets SIGKILL when the calling *thread* ends
// (so call it from a thread that lives as long as the runtime). No other descriptor than the three is inherited. On success 0, with the process in *pid and a descriptor
// that becomes readable when it ends in *pidfd; on failure an errno value and *stage.
int cpod_spawn(const struct cpod_spec *spec, pid_t *pid, int *pidfd, int *stage);

// Collects the ended process behind pidfd: 1 and its wait status if it has ended, else 0.
int cpod_reap(int pidfd, int *exited, int *code);
