# SPDX-License-Identifier: BSD-3-Clause
"""testpmd and sluice between clients and backends that one generator plays in another process, over
net_memif: packets a second, and the latency added.

The generator is the memif server and starts first; what is measured is the zero-copy client. It
leaves first, too, after the traffic: net_memif of DPDK 22.11 crashes when its peer goes in
mid-traffic. A core-to-core round trip is measured before and after each window, while both
processes stand still; a window in which it changed says nothing and is repeated.
"""

import json
import os
import selectors
import signal
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import bench_toml
from bench_common import BenchError, note
from bench_frames import local
from bench_programs import Program, SluiceProgram, Testpmd, memory_arguments
from lab_kit import checkout
from lab_kit.hugepages import hugepages
from lab_kit.process import SHARED_CORE, WORKER_CORE, run
from tsc import tsc_hz

FLOWS = 1000
MEMORY_MB = 512
SECONDS = 1
WINDOWS = 3
TRIES = 12  # windows at most, discarded ones included
ROUND_TRIP_CHANGE = 0.15
LOADS = (10, 50, 90)  # percent of what passes at most


def memif(arguments):
    """Rows of throughput of each program, then of sluice's latency."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as name:
        folder = Path(name)
        with hugepages(3 * MEMORY_MB) as huge_mb:
            for mode in ("macswap", "5tswap"):
                note(f"testpmd {mode}, net_memif")
                with Generator(folder, huge_mb) as generator, \
                        Testpmd(folder, clients(folder), mode, huge_mb // 2,
                                ["--single-file-segments"]) as program:
                    generator.ask(f"raw {FLOWS}")
                    rows.append(throughput(f"testpmd {mode}", FLOWS, generator, program))
            note(f"sluice, net_memif, {FLOWS:,} flows")
            with Generator(folder, huge_mb) as generator, \
                    SluiceProgram(folder, toml(folder, huge_mb)) as program:
                generator.ask(f"open {FLOWS}")
                rows.append(throughput("sluice", FLOWS, generator, program))
                rows += latency(FLOWS, rows[-1]["mpps"] * 1e6, generator, program)
    limit = next(r["ticks_per_packet"] for r in rows if r.get("program") == "testpmd 5tswap")
    for row in rows:
        if row["name"] == "memif":
            row["ratio_to_testpmd"] = row["ticks_per_packet"] / limit
    return rows


def devices(folder, role, more=""):
    return [f"net_memif{i},role={role},id={i},rsize=10,socket={folder}/memif.sock,"
            f"socket-abstract=no{more}" for i in range(2)]


def clients(folder):
    return devices(folder, "client", ",zero-copy=yes")


def toml(folder, huge_mb):
    return (bench_toml.head(folder, clients(folder), MEMORY_MB, huge_mb // 2,
                            args=["--single-file-segments"]) +
            bench_toml.service("bench", "10.3.0.1:80", [local(0)]))


class Generator(Program):
    """tests/bench/generator, asked line by line."""

    def __init__(self, folder, huge_mb):
        vdevs = [word for device in devices(folder, "server") for word in ("--vdev", device)]
        command = [checkout.program("generator"), "-l", str(SHARED_CORE),
                   "--no-pci", "--no-telemetry", "--log-level=1", *memory_arguments(huge_mb),
                   *vdevs]
        self.log_path = folder / "generator.log"
        (folder / "memif.sock").unlink(missing_ok=True)  # a generator before leaves it
        with open(self.log_path, "w") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=log,
                                            stdout=subprocess.PIPE, text=True, bufsize=1)
        self._answer()

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        return self._answer()

    def _answer(self, seconds=60):
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            if not selector.select(seconds):
                raise BenchError(f"the generator is silent: {self.log()[-600:]}")
        line = self.process.stdout.readline()
        if not line.startswith("{"):
            raise BenchError(f"the generator ended: {self.log()[-600:]}")
        return json.loads(line)

    def __exit__(self, *_):
        # Only after whatever is connected has left; contexts end in the reverse order.
        if self.process.poll() is None:
            self.process.stdin.close()
        super().__exit__()


def round_trip(program):
    """Nanoseconds between the cores, while the program that polls one of them stands still."""
    os.kill(program.process.pid, signal.SIGSTOP)
    try:
        took = run(checkout.program("round-trip"), SHARED_CORE, WORKER_CORE)
    finally:
        os.kill(program.process.pid, signal.SIGCONT)
    return float(took)


def steady_windows(generator, program, rate, wanted=WINDOWS):
    """Windows in which the round trip stayed; the round trip that each had is in it."""
    windows, discarded = [], 0
    before = round_trip(program)
    for _ in range(TRIES):
        time.sleep(0.05)
        window = generator.ask(f"window {SECONDS} {rate:.0f}")
        after = round_trip(program)
        if abs(after - before) <= ROUND_TRIP_CHANGE * before:
            windows.append(window | {"round_trip_ns": (before + after) / 2})
        else:
            discarded += 1
        before = after
        if len(windows) == wanted:
            break
    if not windows:
        raise BenchError(f"the core-to-core round trip changed in each of {TRIES} windows")
    return windows, discarded


def median(windows, key):
    return statistics.median(window[key] for window in windows)


def throughput(name, flows, generator, program):
    windows, discarded = steady_windows(generator, program, 0)
    rate = median(windows, "per_second")
    if rate == 0:
        raise BenchError(f"{name}: nothing came back over net_memif")
    return {"name": "memif", "port": "net_memif", "program": name, "flows": flows,
            "ticks_per_packet": tsc_hz() / rate, "mpps": rate / 1e6,
            "lost_share": median(windows, "lost") / median(windows, "sent"),
            "round_trip_ns": median(windows, "round_trip_ns"), "discarded": discarded}


def latency(flows, rate, generator, program):
    rows = []
    for load in LOADS:
        windows, discarded = steady_windows(generator, program, rate * load / 100)
        rows.append({"name": "latency", "port": "net_memif", "program": "sluice", "flows": flows,
                     "load_percent": load, "mpps": median(windows, "per_second") / 1e6,
                     **{key: median(windows, key) for key in (
                         "us_p50", "us_p99", "us_p999", "lost", "round_trip_ns")},
                     "discarded": discarded})
    return rows
