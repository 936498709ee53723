#include "include/csocketproxy.h"

#if defined(__linux__)
#pragma clang diagnostic ignored "-Wc23-extensions"
static const unsigned char object[] __attribute__((aligned(8))) = {
#embed "programs.bpf"
};

const unsigned char *csocketproxy_object(size_t *size) {
    *size = sizeof object;
    return object;
}
#endif
