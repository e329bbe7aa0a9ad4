# SPDX-License-Identifier: BSD-3-Clause
"""scripts/bench: what a packet costs, beside testpmd; other benches by name."""

import argparse
import json
import signal
import sys
from pathlib import Path

import bench_core
import bench_memif
import bench_ports
import bench_tables
from bench_common import BenchError
from bench_idle import idle
from bench_restart import restart
from bench_time_wait import time_wait
from lab_kit.checkout import build_dir, program
from lab_kit.process import LabError

# What `scripts/bench` runs without a name, in this order; --only chooses.
CASES = {
    "established": bench_core.established,
    "families": bench_core.families,
    "udp": bench_core.udp,
    "new_flows": bench_core.new_flows,
    "lives": bench_core.lives,
    "attack": bench_core.attack,
    "kernel": bench_core.kernel,
    "memory": bench_core.memory,
    "ports": bench_ports.ports,
    "memif": bench_memif.memif,
}
FLOWS = (1, 1_000, 100_000, 1_000_000, 10_000_000)


def cost(arguments):
    """All cases chosen; one that cannot be measured is said and does not take the others along."""
    rows, failures = [], []
    for name in arguments.only or CASES:
        try:
            rows += CASES[name](arguments)
        except LabError as error:
            failures.append(f"{name}: not measured: {error}")
    bench_tables.add_ratios(rows)
    bench_tables.show(rows)
    if arguments.json:
        Path(arguments.json).write_text(json.dumps({"cases": rows}, indent=1) + "\n")
    if failures:
        raise BenchError("; ".join(failures))


def packets(arguments):
    """What an adjusted or rewritten flow costs beside a plain one."""
    rows = []
    for flows in (1_024, 32_768):
        rows += bench_core.core_bench("altered", flows=flows)
    bench_tables.show(rows)


def scaling(arguments):
    """Two workers on two cores against one."""
    rows = []
    for flows in (1_000, 100_000):
        rows += bench_core.core_bench("scaling", "--core", "0,1", flows=flows)
    bench_tables.show(rows)
    if arguments.json:
        Path(arguments.json).write_text(json.dumps({"cases": rows}, indent=1) + "\n")


def tables(arguments):
    """Look-ups beside those of DPDK's libraries."""
    rows = []
    for case in ("routes", "neighbours", "toeplitz"):
        rows += bench_core.core_bench(case)
    bench_tables.show(rows)
    if arguments.json:
        Path(arguments.json).write_text(json.dumps({"cases": rows}, indent=1) + "\n")


def reload(arguments):
    """A worker's longest iteration without and with reloads of ten thousand backends."""
    rows = bench_core.core_bench("reload", "--core", "0,1", flows=1_000)
    bench_tables.show(rows)
    if arguments.json:
        Path(arguments.json).write_text(json.dumps({"cases": rows}, indent=1) + "\n")


BENCHES = {"time-wait": time_wait, "packets": packets, "scaling": scaling, "idle": idle,
           "tables": tables, "reload": reload, "restart": restart}


def flow_counts(text):
    counts = [int(word) for word in text.split(",")]
    if not all(1 <= count <= 16_777_216 for count in counts):
        raise ValueError(text)
    return counts


def arguments_of(words):
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description="Without a name: what a packet costs on one core, as a "
        "table. time-wait: new connections beside HAProxy and the kernel's NAT, in the lab. "
        "packets: adjusted and rewritten flows beside plain ones. scaling: two workers on two "
        "cores against one. idle: a worker that polls beside one that sleeps, in the lab. "
        "tables: look-ups of routes and neighbours and hashes of RSS beside DPDK's libraries. "
        "reload: a worker's longest iteration without and with reloads of 10,000 backends. "
        "restart: how long no packet passes from one Sluice to the next.")
    parser.add_argument("name", nargs="?", choices=sorted(BENCHES))
    parser.add_argument("--only", action="append", choices=CASES, metavar="NAME",
                        help="only this case (may be given again): " + " ".join(CASES))
    parser.add_argument("--flows", type=flow_counts, default=list(FLOWS), metavar="LIST",
                        help="connections at a time, such as 1,1000,100000")
    parser.add_argument("--json", metavar="FILE", help="write the figures there, too")
    parser.add_argument("--seconds", type=float, default=10,
                        help="time-wait, idle: length of one run")
    parser.add_argument("--repeats", type=int, default=3,
                        help="time-wait, idle, restart: runs of each case")
    return parser.parse_args(words)


def main():
    arguments = arguments_of(sys.argv[1:])
    if not program("core-bench").exists():
        raise BenchError(f"{build_dir()} has no benches; scripts/build makes them")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    BENCHES.get(arguments.name, cost)(arguments)


if __name__ == "__main__":
    try:
        main()
    except LabError as error:
        sys.exit(f"scripts/bench: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
