#pragma once

// System calls and constants of Linux that Swift's Glibc module does not show. No logic.

#if defined(__linux__)
#include <linux/aio_abi.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

// Declared by glibc only under _GNU_SOURCE, which an importing module may have missed.
extern int pipe2(int descriptors[2], int flags);
extern int setns(int descriptor, int kinds);
extern int accept4(int descriptor, struct sockaddr *address, socklen_t *length, int flags);
extern ssize_t splice(int from, long *from_offset, int to, long *to_offset, size_t length, unsigned int flags);

// The event as plain numbers: the kernel's struct is packed and holds a union.
static inline int clinux_epoll_ctl(int epoll, int operation, int descriptor, uint32_t events, uint64_t token) {
    struct epoll_event event;
    event.events = events;
    event.data.u64 = token;
    return epoll_ctl(epoll, operation, descriptor, &event);
}
static inline uint32_t clinux_event_bits(const struct epoll_event *event) { return event->events; }
static inline uint64_t clinux_event_token(const struct epoll_event *event) { return event->data.u64; }

// A descriptor that names one process for good: its number can be used again, the descriptor cannot.
static inline int clinux_pidfd_open(pid_t process) { return (int)syscall(SYS_pidfd_open, process, 0); }

// Many datagrams in one call; glibc declares both calls and their struct only under _GNU_SOURCE.
struct clinux_mmsghdr {
    struct msghdr header;
    unsigned int length;
};
static inline int clinux_recvmmsg(int descriptor, struct clinux_mmsghdr *messages, unsigned int count, int flags) {
    return (int)syscall(SYS_recvmmsg, descriptor, messages, count, flags, (void *)0);
}
static inline int clinux_sendmmsg(int descriptor, struct clinux_mmsghdr *messages, unsigned int count, int flags) {
    return (int)syscall(SYS_sendmmsg, descriptor, messages, count, flags);
}
// Block until there is a first datagram, then take what else is there already.
#define CLINUX_MSG_WAITFORONE 0x10000

// Asynchronous I/O of the kernel's own kind (io_submit(2)), for which glibc has no functions; of it the waiting for a descriptor.
static inline int clinux_aio_setup(unsigned int capacity, aio_context_t *context) {
    return (int)syscall(SYS_io_setup, capacity, context);
}
static inline int clinux_aio_destroy(aio_context_t context) { return (int)syscall(SYS_io_destroy, context); }
// One event once a descriptor is ready, which adds one to the eventfd `bell`; 1 if that is agreed.
static inline int clinux_aio_poll(aio_context_t context, int descriptor, uint16_t events, int bell, uint64_t token) {
    struct iocb wish = {
        .aio_data = token,
        .aio_lio_opcode = IOCB_CMD_POLL,
        .aio_fildes = (uint32_t)descriptor,
        .aio_buf = events,
        .aio_flags = IOCB_FLAG_RESFD,
        .aio_resfd = (uint32_t)bell,
    };
    struct iocb *wishes[1] = {&wish};
    return (int)syscall(SYS_io_submit, context, 1, wishes);
}
// Events that are there; does not wait.
static inline int clinux_aio_events(aio_context_t context, struct io_event *events, long capacity) {
    struct timespec none = {0, 0};
    return (int)syscall(SYS_io_getevents, context, 0, capacity, events, &none);
}

// posix_spawn's flag for a new session, which glibc shows only under _GNU_SOURCE.
#define CLINUX_POSIX_SPAWN_SETSID 0x80

// glibc only; elsewhere there is nothing to give back in this way.
#if defined(__GLIBC__)
extern int malloc_trim(size_t keep);
static inline void clinux_trim_memory(void) { malloc_trim(0); }
#else
static inline void clinux_trim_memory(void) {}
#endif

// io_uring in the kernel's layout, with the unions of its header flattened: headers of the system may be older than it.
struct clinux_uring_submission {
    uint8_t opcode, flags;
    uint16_t priority;
    int32_t descriptor;
    uint64_t offset, address;
    uint32_t length, operation_flags;
    uint64_t token;
    uint16_t buffer_group, personality;
    int32_t file_index;
    uint64_t unused[2];
};
struct clinux_uring_completion {
    uint64_t token;
    int32_t result;
    uint32_t flags;
};
struct clinux_uring_parameters {
    uint32_t submissions, completions, flags, thread_core, thread_idle, features, worker_queue, unused[3];
    struct { uint32_t head, tail, mask, entries, flags, dropped, array, unused; uint64_t memory; } submission_offsets;
    struct { uint32_t head, tail, mask, entries, overflow, completions, flags, unused; uint64_t memory; } completion_offsets;
};
// The last field of the first buffer is the ring's tail.
struct clinux_uring_buffer {
    uint64_t address;
    uint32_t length;
    uint16_t number, tail;
};
struct clinux_uring_buffer_ring {
    uint64_t address;
    uint32_t entries;
    uint16_t group, flags;
    uint64_t unused[3];
};
static inline int clinux_uring_setup(uint32_t entries, struct clinux_uring_parameters *parameters) {
    return (int)syscall(425, entries, parameters);
}
static inline int clinux_uring_register(int ring, uint32_t operation, const void *argument, uint32_t count) {
    return (int)syscall(427, ring, operation, argument, count);
}
// Waits at most so long; for ever when that is negative.
static inline int clinux_uring_enter(
    int ring, uint32_t submissions, uint32_t completions, uint32_t flags, int64_t nanoseconds) {
    struct { int64_t seconds, nanoseconds; } limit = {nanoseconds / 1000000000, nanoseconds % 1000000000};
    struct { uint64_t signals; uint32_t size, unused; uint64_t limit; } argument = {0, 0, 0, 0};
    if (nanoseconds >= 0) argument.limit = (uint64_t)(uintptr_t)&limit;
    return (int)syscall(426, ring, submissions, completions, flags | 8 /* EXT_ARG */, &argument, sizeof argument);
}

// What the kernel and this process tell each other through shared memory.
static inline uint32_t clinux_load_acquire(const uint32_t *value) { return __atomic_load_n(value, __ATOMIC_ACQUIRE); }
static inline void clinux_store_release(uint32_t *value, uint32_t new_value) {
    __atomic_store_n(value, new_value, __ATOMIC_RELEASE);
}
static inline void clinux_uring_publish_buffers(struct clinux_uring_buffer *first, uint16_t tail) {
    __atomic_store_n(&first->tail, tail, __ATOMIC_RELEASE);
}

#define CLINUX_SPLICE_F_MOVE 1u
#define CLINUX_SPLICE_F_NONBLOCK 2u
#endif
