// The socket data plane: a client's connect() to a frontend goes to an endpoint instead. Nothing happens per packet.
//
// Whatever these programs do not know, they leave alone; then the plane beneath serves it. User space changes a frontend
// by writing its new list first, then the route, and removing the old list last: a program that finds half of an
// old list looks at the route again.

#include <linux/bpf.h>

#include "include/layout.h"

#define SEC(name) __attribute__((section(name), used))
#define INLINE static inline __attribute__((always_inline))
#define TCP 6
#define UDP 17
#define PASS 1
#define REFUSE 0
#define CONNECTION_REFUSED 111
#define TRIES 4

static void *(*const lookup)(void *map, const void *key) = (void *)BPF_FUNC_map_lookup_elem;
static long (*const update)(void *map, const void *key, const void *value, __u64 flags) =
    (void *)BPF_FUNC_map_update_elem;
static long (*const remove)(void *map, const void *key) = (void *)BPF_FUNC_map_delete_elem;
static __u64 (*const clock)(void) = (void *)BPF_FUNC_ktime_get_ns;
static __u32 (*const random)(void) = (void *)BPF_FUNC_get_prandom_u32;
static __u64 (*const current_process)(void) = (void *)BPF_FUNC_get_current_pid_tgid;
// Takes CAP_PERFMON on newer kernels. Without it the loader replaces the call by a failure.
static long (*const current_command)(void *buffer, __u32 size) = (void *)BPF_FUNC_get_current_comm;
static __u64 (*const socket_cookie)(void *context) = (void *)BPF_FUNC_get_socket_cookie;
static __u64 (*const network_namespace)(void *context) = (void *)BPF_FUNC_get_netns_cookie;
static void *(*const storage)(void *map, void *socket, void *value, __u64 flags) = (void *)BPF_FUNC_sk_storage_get;
static void *(*const reserve)(void *ring, __u64 size, __u64 flags) = (void *)BPF_FUNC_ringbuf_reserve;
static void (*const submit)(void *record, __u64 flags) = (void *)BPF_FUNC_ringbuf_submit;
// Linux 6.1 has it for these programs. For an older one the loader replaces the call by a failure.
static long (*const set_result)(int result) = (void *)BPF_FUNC_set_retval;

// MARK: - Maps; the loader sets the sizes of the first four.

struct map {
    __u32 type, key, value, entries, flags;
};
#define MAP(name, type, key, value, entries, flags) \
    struct map name SEC("maps") = {BPF_MAP_TYPE_##type, key, value, entries, flags}

MAP(frontends, HASH, sizeof(struct sp_frontend), sizeof(struct sp_route), 1, BPF_F_NO_PREALLOC);
MAP(slots, HASH, sizeof(struct sp_slot), sizeof(__u32), 1, BPF_F_NO_PREALLOC);
MAP(endpoints, HASH, sizeof(__u32), sizeof(struct sp_endpoint), 1, BPF_F_NO_PREALLOC);
MAP(counts, HASH, sizeof(__u32), sizeof(struct sp_counters), 1, BPF_F_NO_PREALLOC);
MAP(affinity, LRU_HASH, sizeof(struct sp_affinity_client), sizeof(struct sp_affinity_choice), 16384, 0);
// Where TCP sockets are connected to, by cookie: in a table, because a socket's storage costs more to make and to drop than all
// else that is done for a connection. What finds no room there is in `peers`, as datagram sockets are.
MAP(connections, HASH, sizeof(__u64), sizeof(struct sp_peer), 16384, BPF_F_NO_PREALLOC);
MAP(peers, SK_STORAGE, sizeof(int), sizeof(struct sp_peer), 0, BPF_F_NO_PREALLOC);
MAP(flows, LRU_HASH, sizeof(struct sp_flow), sizeof(__u32), 8192, 0);
MAP(replies, LRU_HASH, sizeof(struct sp_reply), sizeof(struct sp_frontend), 8192, 0);
MAP(settings, ARRAY, sizeof(__u32), sizeof(struct sp_settings), 1, 0);
MAP(events, RINGBUF, 0, 0, 256 * 1024, 0);

// MARK: - Choosing

struct choice {
    __u32 number;
    __u32 reason;
    __u64 left;
};

INLINE int is_listed(const struct sp_route *route, __u32 number) {
    struct sp_slot slot = {route->list, SP_LISTED | number};
    return lookup(&slots, &slot) != 0;
}

// Replaces the choice at hand by the one that the client has, if that still counts; else remembers this one.
INLINE void stay(const struct sp_route *route, const struct sp_address *client, __u64 now, struct choice *choice) {
    struct sp_affinity_client key = {*client, route->service_port};
    struct sp_affinity_choice fresh = {now, choice->number, 0};
    struct sp_affinity_choice *known = lookup(&affinity, &key);
    if (!known) {
        if (update(&affinity, &key, &fresh, BPF_NOEXIST) == 0) return;
        known = lookup(&affinity, &key);
        if (!known) return;
    }
    __u32 old = known->endpoint;
    __u64 last = known->last_use;
    __u64 age = now > last ? now - last : 0;
    __u64 window = (__u64)route->affinity_seconds * 1000000000;
    if (age < window && is_listed(route, old)) {
        choice->number = old;
        choice->reason = SP_AFFINITY;
        choice->left = window - age;
    } else {
        // Of two connections at once, one decides for both.
        __u32 seen = __sync_val_compare_and_swap(&known->endpoint, old, choice->number);
        if (seen != old && is_listed(route, seen)) choice->number = seen;
    }
    known->last_use = now;
}

// NULL when the list has changed meanwhile.
INLINE struct sp_endpoint *choose(
    const struct sp_route *route, const struct sp_address *client, const struct sp_settings *set, struct choice *choice) {
    struct sp_slot slot = {route->list, ((__u64)random() * route->count) >> 32};
    __u32 *number = lookup(&slots, &slot);
    if (!number) return 0;
    choice->number = *number;
    choice->reason = route->reason;
    choice->left = 0;
    if (route->affinity_seconds) stay(route, client, clock() + set->clock_shift, choice);
    return lookup(&endpoints, &choice->number);
}

INLINE void count(__u32 number, __s64 connections, __s64 active) {
    struct sp_counters *counters = lookup(&counts, &number);
    if (!counters) return;
    if (connections) __sync_fetch_and_add(&counters->connections, connections);
    if (active) __sync_fetch_and_add(&counters->active, active);
}

INLINE void report(
    const struct sp_frontend *frontend, const struct sp_address *client, __u16 port, const struct choice *choice,
    const struct sp_settings *set) {
    if (!set->events) return;
    struct sp_event *event = reserve(&events, sizeof(struct sp_event), 0);
    if (!event) return;
    event->frontend = *frontend;
    event->client = *client;
    event->client_port = port;
    event->pad = 0;
    event->endpoint = choice->number;
    event->reason = choice->reason;
    event->affinity_left = choice->left;
    __u64 process = current_process();
    event->process = (__u32)process == set->mover ? 0 : process >> 32;
    if (current_command(event->command, sizeof event->command) != 0) event->command[0] = 0;
    submit(event, 0);
}

// MARK: - Decisions; 0 when there is nothing to rewrite and *result says what happens, else the new peer is in *to.

struct client {
    struct sp_address address;
    __u16 port;
};

INLINE struct sp_settings *settings_here(struct bpf_sock_addr *context) {
    __u32 zero = 0;
    struct sp_settings *set = lookup(&settings, &zero);
    return set && set->network_namespace == network_namespace(context) ? set : 0;
}

INLINE int refuse(void) { return set_result(-CONNECTION_REFUSED) == 0 ? REFUSE : PASS; }

INLINE void forget_peer(struct sp_peer *peer) {
    if (peer->number) count(peer->number, 0, -1);
    peer->number = 0;
}

// What a socket was told before; `cookie` is 0 for a datagram socket.
INLINE struct sp_peer *known_peer(struct bpf_sock *socket, __u64 cookie) {
    struct sp_peer *peer = cookie ? lookup(&connections, &cookie) : 0;
    return peer ? peer : storage(&peers, socket, 0, 0);
}

INLINE int connection(
    struct bpf_sock_addr *context, const struct sp_frontend *frontend, const struct client *client, struct sp_endpoint *to,
    int *result) {
    struct sp_settings *set = settings_here(context);
    struct bpf_sock *socket = context->sk;
    *result = PASS;
    if (!set || !socket) return 0;
    int is_stream = frontend->protocol == TCP;
    __u64 cookie = is_stream ? socket_cookie(context) : 0;
    struct sp_peer *peer;
    for (int try = 0; try < TRIES; try++) {
        struct sp_route *route = lookup(&frontends, frontend);
        if (!route) break;
        struct choice choice = {SP_REFUSING_IPV4, 0, 0};
        struct sp_endpoint *endpoint;
        if (route->count) {
            endpoint = choose(route, &client->address, set, &choice);
        } else {
            if (frontend->protocol == TCP) {
                *result = refuse();
                break;
            }
            // A datagram socket connects well and hears of it later, as everywhere.
            if (frontend->address.words[2] != __builtin_bswap32(0xffff)) choice.number = SP_REFUSING_IPV6;
            endpoint = lookup(&endpoints, &choice.number);
        }
        if (!endpoint) continue;
        struct sp_peer fresh = {*frontend, choice.number, *endpoint, 0};
        // Hardly a stream socket is connected twice.
        if (!is_stream || update(&connections, &cookie, &fresh, BPF_NOEXIST) != 0) {
            peer = known_peer(socket, cookie);
            if (!peer) peer = storage(&peers, socket, 0, BPF_SK_STORAGE_GET_F_CREATE);
            // Without memory the peer's name would be wrong, and the flow could not move.
            if (!peer) return 0;
            forget_peer(peer);
            peer->frontend = *frontend;
            peer->endpoint = *endpoint;
            peer->number = choice.number;
        }
        if (route->count) {
            count(choice.number, 1, 1);
            report(frontend, &client->address, client->port, &choice, set);
        }
        *to = *endpoint;
        return 1;
    }
    peer = known_peer(socket, cookie);
    if (peer) forget_peer(peer);
    return 0;
}

INLINE int datagram(
    struct bpf_sock_addr *context, const struct sp_frontend *frontend, const struct client *client, struct sp_endpoint *to,
    int *result) {
    struct sp_settings *set = settings_here(context);
    struct bpf_sock *socket = context->sk;
    *result = PASS;
    if (!set || !socket) return 0;
    for (int try = 0; try < TRIES; try++) {
        struct sp_route *route = lookup(&frontends, frontend);
        if (!route) return 0;
        if (!route->count) {
            *result = refuse();
            return 0;
        }
        struct sp_flow flow = {socket_cookie(context), *frontend, 0};
        __u32 *number = lookup(&flows, &flow);
        struct sp_endpoint *endpoint = number ? lookup(&endpoints, number) : 0;
        if (endpoint) {
            *to = *endpoint;
            return 1;
        }
        struct choice choice;
        endpoint = choose(route, &client->address, set, &choice);
        if (!endpoint) continue;
        struct sp_peer *peer = storage(&peers, socket, 0, BPF_SK_STORAGE_GET_F_CREATE);
        if (!peer) return 0;
        peer->has_flows = 1;
        struct sp_reply reply = {flow.socket, *endpoint, 0};
        if (update(&flows, &flow, &choice.number, BPF_ANY) != 0) return 0;
        if (update(&replies, &reply, frontend, BPF_ANY) != 0) return 0;
        count(choice.number, 1, 0);
        report(frontend, &client->address, client->port, &choice, set);
        *to = *endpoint;
        return 1;
    }
    return 0;
}

INLINE int is_same(const struct sp_endpoint *left, const struct sp_endpoint *right) {
    return left->port == right->port && left->address.words[0] == right->address.words[0] &&
           left->address.words[1] == right->address.words[1] && left->address.words[2] == right->address.words[2] &&
           left->address.words[3] == right->address.words[3];
}

// The frontend that stands for `from` at this socket, if one does.
INLINE int origin(struct bpf_sock_addr *context, const struct sp_endpoint *from, int with_flows, struct sp_frontend *frontend) {
    struct bpf_sock *socket = context->sk;
    if (!socket) return 0;
    struct sp_peer *peer = known_peer(socket, context->protocol == TCP ? socket_cookie(context) : 0);
    if (!peer) return 0;
    if (peer->number && is_same(&peer->endpoint, from)) {
        *frontend = peer->frontend;
        return 1;
    }
    if (!with_flows || !peer->has_flows) return 0;
    struct sp_reply reply = {socket_cookie(context), *from, 0};
    struct sp_frontend *known = lookup(&replies, &reply);
    if (!known) return 0;
    *frontend = *known;
    return 1;
}

// MARK: - Reading and writing the context

INLINE struct sp_address address4(__u32 address) {
    struct sp_address result = {{0, 0, __builtin_bswap32(0xffff), address}};
    return result;
}

INLINE struct sp_address address6(__u32 first, __u32 second, __u32 third, __u32 fourth) {
    struct sp_address result = {{first, second, third, fourth}};
    return result;
}

INLINE int is_empty(const struct sp_address *address) {
    return !address->words[0] && !address->words[1] && !address->words[3] &&
           (!address->words[2] || address->words[2] == __builtin_bswap32(0xffff));
}

// A socket that is not bound gets its address after us. The kernel gives it 127.0.0.1 for a peer in 127.0.0.0/8; for other
// frontends "this machine" is client enough: all zero.
INLINE void assume_source(const struct sp_frontend *frontend, struct sp_address *client) {
    if (!is_empty(client)) return;
    *client = frontend->address;
    int is_v4 = frontend->address.words[0] == 0 && frontend->address.words[1] == 0 &&
                frontend->address.words[2] == __builtin_bswap32(0xffff);
    if (is_v4) {
        int is_loopback = (__builtin_bswap32(frontend->address.words[3]) >> 24) == 127;
        client->words[3] = is_loopback ? __builtin_bswap32(0x7f000001) : 0;
    } else {
        *client = address6(0, 0, 0, 0);
    }
}

INLINE int is_ours(struct bpf_sock_addr *context) { return context->protocol == TCP || context->protocol == UDP; }

INLINE struct sp_address target4(struct bpf_sock_addr *context) { return address4(context->user_ip4); }
INLINE struct sp_address target6(struct bpf_sock_addr *context) {
    return address6(context->user_ip6[0], context->user_ip6[1], context->user_ip6[2], context->user_ip6[3]);
}
INLINE void set4(struct bpf_sock_addr *context, const struct sp_address *address, __u16 port) {
    context->user_ip4 = address->words[3];
    context->user_port = port;
}
INLINE void set6(struct bpf_sock_addr *context, const struct sp_address *address, __u16 port) {
    context->user_ip6[0] = address->words[0];
    context->user_ip6[1] = address->words[1];
    context->user_ip6[2] = address->words[2];
    context->user_ip6[3] = address->words[3];
    context->user_port = port;
}
INLINE struct sp_address source4(struct bpf_sock *socket) { return address4(socket->src_ip4); }
INLINE struct sp_address source6(struct bpf_sock *socket) {
    return address6(socket->src_ip6[0], socket->src_ip6[1], socket->src_ip6[2], socket->src_ip6[3]);
}
INLINE struct sp_address message_source4(struct bpf_sock_addr *context) { return address4(context->msg_src_ip4); }
INLINE struct sp_address message_source6(struct bpf_sock_addr *context) {
    return address6(
        context->msg_src_ip6[0], context->msg_src_ip6[1], context->msg_src_ip6[2], context->msg_src_ip6[3]);
}

#define TO(family)                                                                                        \
    if (!is_ours(context) || !context->sk) return PASS;                                                   \
    struct bpf_sock *socket = context->sk;                                                                \
    struct sp_frontend frontend = {target##family(context), context->user_port, context->protocol, 0};      \
    struct client client = {source##family(socket), __builtin_bswap16((__u16)socket->src_port)};          \
    struct sp_endpoint to;                                                                                   \
    int result;

#define CONNECT(family)                                                                                   \
    SEC("cgroup/connect" #family) int connect##family(struct bpf_sock_addr *context) {                           \
        TO(family)                                                                                        \
        assume_source(&frontend, &client.address);                                                        \
        if (!connection(context, &frontend, &client, &to, &result)) return result;                        \
        set##family(context, &to.address, to.port);                                                       \
        return PASS;                                                                                      \
    }

#define SENDMSG(family)                                                                                   \
    SEC("cgroup/sendmsg" #family) int sendmsg##family(struct bpf_sock_addr *context) {                           \
        TO(family)                                                                                        \
        struct sp_address source = message_source##family(context);                                          \
        if (!is_empty(&source)) client.address = source;                                                  \
        assume_source(&frontend, &client.address);                                                        \
        if (!datagram(context, &frontend, &client, &to, &result)) return result;                          \
        set##family(context, &to.address, to.port);                                                       \
        return PASS;                                                                                      \
    }

#define BACK(name, family, with_flows)                                                                    \
    SEC("cgroup/" #name #family) int name##family(struct bpf_sock_addr *context) {                                  \
        if (!is_ours(context)) return PASS;                                                               \
        struct sp_endpoint from = {target##family(context), context->user_port, 0};                          \
        struct sp_frontend frontend;                                                                         \
        if (origin(context, &from, with_flows, &frontend))                                                \
            set##family(context, &frontend.address, frontend.port);                                       \
        return PASS;                                                                                      \
    }

CONNECT(4)
CONNECT(6)
SENDMSG(4)
SENDMSG(6)
BACK(recvmsg, 4, 1)
BACK(recvmsg, 6, 1)
BACK(getpeername, 4, 0)
BACK(getpeername, 6, 0)

SEC("cgroup/release") int released(struct bpf_sock *socket) {
    __u64 cookie = socket->protocol == TCP ? socket_cookie(socket) : 0;
    struct sp_peer *connection = cookie ? lookup(&connections, &cookie) : 0;
    if (connection) {
        forget_peer(connection);
        remove(&connections, &cookie);
    }
    struct sp_peer *peer = storage(&peers, socket, 0, 0);
    if (peer) forget_peer(peer);
    return PASS;
}

SEC(".license") char license[] = "Dual MIT/GPL";
// A test recompiles this file; the result can only be the same with the same compiler.
SEC(".compiler") char compiler[] = __clang_version__;
