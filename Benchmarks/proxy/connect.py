#!/usr/bin/env python3
"""What a connection costs its client more at one address than at another: connect.py ADDRESS OTHER.

Connects over TCP and resets, again and again, in slices of 50 ms that take turns; prints the median of all pairs' differences, which
is steadier than requests per second: other programs disturb both alike.
"""
import socket
import statistics
import struct
import sys
import time

SLICES = 100


def slice_of(address):
    """Microseconds per connection."""
    reset = struct.pack("ii", 1, 0)
    count, start = 0, time.perf_counter()
    while True:
        for _ in range(20):
            client = socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
            client.connect(address)
            client.close()
        count += 20
        spent = time.perf_counter() - start
        if spent > 0.05:
            return spent / count * 1e6


def parsed(text):
    host, _, port = text.partition(":")
    return host, int(port or 80)


first, second = map(parsed, sys.argv[1:3])
pairs = [(slice_of(first), slice_of(second)) for _ in range(SLICES)]
usual = statistics.median(pair[0] for pair in pairs)
more = statistics.median(pair[1] - pair[0] for pair in pairs)
print(f"{usual:.1f} µs, {more:.2f} µs more")
