#!/usr/bin/env python3
"""Opens connections, asks once over each and keeps them: idle.py ADDRESS NUMBER.

Waits for a line, opens them, prints a line, and closes them after another line. Being its own process before that, it
does not disturb what is measured.
"""
import socket
import sys

host, _, port = sys.argv[1].partition(":")
sys.stdin.readline()
held = []
for _ in range(int(sys.argv[2])):
    client = socket.create_connection((host, int(port or 80)), timeout=20)
    client.sendall(b"GET / HTTP/1.1\r\nHost: quote\r\n\r\n")
    answer = b""
    while b"x" * 123 not in answer:
        part = client.recv(4096)
        if not part:
            sys.exit(f"connection {len(held)} ended early")
        answer += part
    held.append(client)
print(len(held), flush=True)
sys.stdin.readline()
