#pragma once

// System calls and constants of Linux that Swift's Glibc module does not show. No logic.

#if defined(__linux__)
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

// posix_spawn's flag for a new session, which glibc shows only under _GNU_SOURCE.
#define CLINUX_POSIX_SPAWN_SETSID 0x80

// glibc only; elsewhere there is nothing to give back in this way.
#if defined(__GLIBC__)
extern int malloc_trim(size_t keep);
static inline void clinux_trim_memory(void) { malloc_trim(0); }
#else
static inline void clinux_trim_memory(void) {}
#endif

#define CLINUX_SPLICE_F_MOVE 1u
#define CLINUX_SPLICE_F_NONBLOCK 2u
#endif
