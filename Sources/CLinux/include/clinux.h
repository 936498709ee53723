#pragma once

// System calls and constants of Linux that Swift's Glibc module does not show. No logic.

#if defined(__linux__)
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/types.h>

// Declared by glibc only under _GNU_SOURCE, which an importing module may have missed.
extern int pipe2(int descriptors[2], int flags);
extern int accept4(int descriptor, struct sockaddr *address, socklen_t *length, int flags);
extern ssize_t splice(int from, long *from_offset, int to, long *to_offset, size_t length, unsigned int flags);

#define CLINUX_SPLICE_F_MOVE 1u
#define CLINUX_SPLICE_F_NONBLOCK 2u
#endif
