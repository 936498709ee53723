// What the programs and the Swift side both read and write.
//
// Addresses are sixteen octets in network order, IPv4 as ::ffff:a.b.c.d, so that one key serves IPv4 sockets and IPv6
// sockets that talk IPv4. Ports are in network order too.

#pragma once
#include <linux/types.h>

struct sp_address {
    __u32 words[4];
};

// Where clients connect to.
struct sp_frontend {
    struct sp_address address;
    __u16 port;
    __u8 protocol;
    __u8 pad;
};

// How a frontend is served: `count` endpoints in `slots` under `list`; none means that clients are refused.
struct sp_route {
    __u32 list;
    __u32 count;
    // The unit of affinity: one number for all frontends of a Service port.
    __u32 service_port;
    __u32 affinity_seconds;
    // The reason to report for a choice that affinity did not make.
    __u32 reason;
};

// Holds the number of an endpoint. `index` is 0 ..< count, or SP_LISTED | endpoint, which says that the list has it.
struct sp_slot {
    __u32 list;
    __u32 index;
};
#define SP_LISTED 0x80000000u

// Endpoints are numbered once and never again: an endpoint that comes back is another one. Those that serve no more are
// not in the map. The first two numbers stand for a port of this machine that refuses every datagram.
struct sp_endpoint {
    struct sp_address address;
    __u16 port;
    __u16 pad;
};
#define SP_REFUSING_IPV4 1
#define SP_REFUSING_IPV6 2

// Apart from the endpoints, because connections outlive them. Differences to what Swift knows already.
struct sp_counters {
    __s64 connections;
    __s64 active;
};

struct sp_affinity_client {
    struct sp_address address;
    __u32 service_port;
};
struct sp_affinity_choice {
    __u64 last_use;
    __u32 endpoint;
    __u32 pad;
};

// With a connected socket, for as long as the socket lives.
struct sp_peer {
    struct sp_frontend frontend;
    __u32 number;
    struct sp_endpoint endpoint;
    // Has sent datagrams to frontends without being connected.
    __u32 has_flows;
};

// What an unconnected socket has sent to where, and how answers get their frontend's address back.
struct sp_flow {
    __u64 socket;
    struct sp_frontend frontend;
    __u32 pad;
};
struct sp_reply {
    __u64 socket;
    struct sp_endpoint endpoint;
    __u32 pad;
};

struct sp_settings {
    // Sockets of other network namespaces are other machines to us.
    __u64 network_namespace;
    // Added to the clock of affinity, in nanoseconds.
    __u64 clock_shift;
    // Whether somebody reads events.
    __u32 events;
    // The thread that reconnects clients' sockets, while it does: it is not the client.
    __u32 mover;
};

enum sp_reason { SP_RANDOM, SP_AFFINITY, SP_ONLY_READY_ENDPOINT, SP_TERMINATING_FALLBACK };

struct sp_event {
    struct sp_frontend frontend;
    struct sp_address client;
    // Zero when the socket has no port yet.
    __u16 client_port;
    __u16 pad;
    __u32 endpoint;
    __u32 reason;
    // 0 when not known.
    __u32 process;
    __u64 affinity_left;
    char command[16];
};
