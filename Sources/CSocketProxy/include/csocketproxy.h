#pragma once

// bpf(2) in the shapes that the socket plane needs, and the compiled programs. No logic.

#if defined(__linux__)
#include <errno.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "layout.h"

// The object file that `make bpf` compiles from programs.bpf.c.
const unsigned char *csocketproxy_object(size_t *size);

// Each call returns what bpf(2) returns, or the negative error number.
static inline long csocketproxy_bpf(int command, union bpf_attr *attributes) {
    long result = syscall(SYS_bpf, command, attributes, sizeof *attributes);
    return result < 0 ? -errno : result;
}

static inline long csocketproxy_create_map(
    const char *name, uint32_t type, uint32_t key_size, uint32_t value_size, uint32_t entries, uint32_t flags, int btf,
    uint32_t btf_key, uint32_t btf_value) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.map_type = type;
    attributes.key_size = key_size;
    attributes.value_size = value_size;
    attributes.max_entries = entries;
    attributes.map_flags = flags;
    strncpy(attributes.map_name, name, sizeof attributes.map_name - 1);
    if (btf >= 0) {
        attributes.btf_fd = (uint32_t)btf;
        attributes.btf_key_type_id = btf_key;
        attributes.btf_value_type_id = btf_value;
    }
    return csocketproxy_bpf(BPF_MAP_CREATE, &attributes);
}

static inline long csocketproxy_element(
    int command, int map, const void *key, const void *value, uint64_t flags) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.map_fd = (uint32_t)map;
    attributes.key = (uintptr_t)key;
    attributes.value = (uintptr_t)value;
    attributes.flags = flags;
    return csocketproxy_bpf(command, &attributes);
}

static inline long csocketproxy_load_btf(const void *btf, uint32_t size) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.btf = (uintptr_t)btf;
    attributes.btf_size = size;
    return csocketproxy_bpf(BPF_BTF_LOAD, &attributes);
}

// `log` may be null.
static inline long csocketproxy_load_program(
    const char *name, uint32_t type, uint32_t attach_type, const void *instructions, uint32_t count,
    const char *license, char *log, uint32_t log_size) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.prog_type = type;
    attributes.expected_attach_type = attach_type;
    attributes.insns = (uintptr_t)instructions;
    attributes.insn_cnt = count;
    attributes.license = (uintptr_t)license;
    strncpy(attributes.prog_name, name, sizeof attributes.prog_name - 1);
    if (log) {
        attributes.log_buf = (uintptr_t)log;
        attributes.log_size = log_size;
        attributes.log_level = 1;
    }
    return csocketproxy_bpf(BPF_PROG_LOAD, &attributes);
}

static inline long csocketproxy_create_link(int program, int target, uint32_t attach_type) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.link_create.prog_fd = (uint32_t)program;
    attributes.link_create.target_fd = (uint32_t)target;
    attributes.link_create.attach_type = attach_type;
    return csocketproxy_bpf(BPF_LINK_CREATE, &attributes);
}

static inline long csocketproxy_update_link(int link, int program) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.link_update.link_fd = (uint32_t)link;
    attributes.link_update.new_prog_fd = (uint32_t)program;
    return csocketproxy_bpf(BPF_LINK_UPDATE, &attributes);
}

// The descriptor of another process, duplicated into ours (Linux 5.6).
static inline int csocketproxy_pidfd_getfd(int process, int descriptor) {
    return (int)syscall(438, process, descriptor, 0);
}

// Words that the kernel's side of a ring buffer reads and writes too.
static inline uint64_t csocketproxy_load64(const void *word) {
    return __atomic_load_n((const uint64_t *)word, __ATOMIC_ACQUIRE);
}
static inline uint32_t csocketproxy_load32(const void *word) {
    return __atomic_load_n((const uint32_t *)word, __ATOMIC_ACQUIRE);
}
static inline void csocketproxy_store64(void *word, uint64_t value) {
    __atomic_store_n((uint64_t *)word, value, __ATOMIC_RELEASE);
}

// What kind of file system a path is on; 0 when there is no such path.
static inline unsigned long csocketproxy_file_system(const char *path) {
    struct statfs facts;
    return statfs(path, &facts) == 0 ? (unsigned long)facts.f_type : 0;
}
#define CSOCKETPROXY_CGROUP2 0x63677270

static inline uint32_t csocketproxy_thread(void) { return (uint32_t)syscall(SYS_gettid); }

#define CSOCKETPROXY_SO_NETNS_COOKIE 71
#endif
