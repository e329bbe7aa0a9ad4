# SPDX-License-Identifier: BSD-3-Clause
"""testpmd and sluice side by side, each a process of its own on the very same ports: net_pcap
replays frames from memory for ever and drops what is sent."""

import statistics
import tempfile
from pathlib import Path

import bench_toml
from bench_common import BenchError, note
from bench_frames import LOCAL_PORT, LOCALS_PER_SERVICE, local, vip_of, write_replays
from bench_programs import MEMORY_MB, SluiceProgram, Testpmd
from lab_kit import toml
from lab_kit.hugepages import hugepages
from lab_kit.process import wait_until
from lab_kit.sluice import START_SECONDS
from tsc import tsc_hz

FLOWS = 1000
SECONDS = 5
MODES = ("io", "macswap", "5tswap")


def ports(_):
    """Rows: testpmd's modes, then sluice with the ratio to 5tswap."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as name:
        folder = Path(name)
        write_replays(folder, FLOWS)
        with hugepages(2 * MEMORY_MB) as huge_mb:
            for mode in MODES:
                note(f"testpmd {mode}, net_pcap")
                with Testpmd(folder, replaying(folder), mode, huge_mb) as testpmd:
                    rows.append(row(f"testpmd {mode}", testpmd.received(SECONDS)))
            note(f"sluice, net_pcap, {FLOWS:,} flows")
            rows.append(row("sluice", sluice(folder, huge_mb)))
    limit = next(r["ticks_per_packet"] for r in rows if r["program"] == "testpmd 5tswap")
    for each in rows:
        each["ratio_to_testpmd"] = each["ticks_per_packet"] / limit
    return rows


def replaying(folder):
    return [f"net_pcap0,rx_pcap={folder}/client.pcap,infinite_rx=1",
            f"net_pcap1,rx_pcap={folder}/server.pcap,infinite_rx=1"]


def service(first):
    last = min(first + LOCALS_PER_SERVICE, FLOWS)
    address, port = vip_of(first)
    return bench_toml.service(f"bench{first}", f"{address}:{port}",
                              [local(i) for i in range(first, last)],
                              ports=(LOCAL_PORT, LOCAL_PORT))


def sluice(folder, huge_mb):
    config = bench_toml.head(folder, replaying(folder), MEMORY_MB, huge_mb)
    config += toml.interface("setup", f"net_pcap2,rx_pcap={folder}/setup.pcap", "10.9.255.254/16")
    config += "".join(service(first) for first in range(0, FLOWS, LOCALS_PER_SERVICE))
    with SluiceProgram(folder, config) as program:
        wait_until(lambda: program.counters()["flows_established"] >= FLOWS, START_SECONDS,
                   f"not all of {FLOWS:,} connections are established")
        drops = program.worker_sum("drops")
        figures = program.received(SECONDS)
        dropped = program.worker_sum("drops") - drops
    if dropped > 0:
        raise BenchError(f"sluice dropped {dropped} packets of open connections")
    return figures


def row(program, figures):
    rate = statistics.median(figures)
    return {"name": "ports", "port": "net_pcap", "program": program, "flows": FLOWS,
            "ticks_per_packet": tsc_hz() / rate, "mpps": rate / 1e6}
