#!/usr/bin/env python3
"""Prints run.sh's results as tables: table.py RESULTS IDLE CONNECTIONS."""
import collections
import re
import statistics
import sys


def milliseconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()
    return float(number) * {"us": 1e-3, "ms": 1, "s": 1e3, "m": 6e4}[unit]


def ratio(value, medians, load, peer, column):
    base = medians.get((load, peer))
    return f"{value / base[column]:.2f}" if base and base[column] and value else "-"


results, idle, connections = sys.argv[1:]
samples = collections.defaultdict(list)
for line in open(results):
    load, proxy, rate, cpu, late = line.split()
    samples[load, proxy].append((float(rate), float(cpu), milliseconds(late)))
medians = {key: [statistics.median(column) for column in zip(*rows)] for key, rows in samples.items()}
if medians:
    print("| load | proxy | requests/s | CPU per request, µs | p99, ms | CPU / HAProxy's | rate / HAProxy's | p99 / HAProxy's"
          " | rate / direct |")
    print("|---|---|---|---|---|---|---|---|---|")
for (load, proxy), (rate, cpu, late) in medians.items():
    ratios = " | ".join([
        ratio(cpu, medians, load, "haproxy", 1), ratio(rate, medians, load, "haproxy", 0),
        ratio(late, medians, load, "haproxy", 2), ratio(rate, medians, load, "direct", 0)])
    print(f"| {load} | {proxy} | {rate:,.0f} | {f'{cpu:,.1f}' if cpu else '-'} | {late:.1f} | {ratios} |")
rows = [line.split() for line in open(idle)]
if rows:
    print(f"\n| {connections} idle connections | memory each, bytes | CPU, ms per second |\n|---|---|---|")
for proxy, memory, cpu in rows:
    print(f"| {proxy} | {int(memory):,} | {cpu} |")
