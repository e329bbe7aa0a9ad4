# SPDX-License-Identifier: BSD-3-Clause
"""How long no packet passes while one Sluice makes way for the next, which goes on with its flows.

    generator (clients and backends) ==== two veth pairs, net_af_packet ==== Sluice

What is measured is the longest time in which nothing came back to a generator that went on sending,
from one packet to the next: the end of the one process, the start of the other, and the way there.
"""

import json
import os
import re
import signal
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import bench_toml
from bench_common import BenchError, note
from bench_frames import local
from bench_memif import Generator
from bench_programs import SluiceProgram
from bench_tables import show
from lab_kit import checkout, toml
from lab_kit.namespace import Namespace, link
from lab_kit.process import SHARED_CORE

RATE = 20_000  # segments a second; what a single core passes on beside all else
SECONDS = 12
PORTS = 64_512  # of a local address
ENDS = {"SIGTERM": signal.SIGTERM, "SIGKILL": signal.SIGKILL}
ADOPTED = re.compile(r"flows taken over from the process before: (\d+), in (\d+) ms")


class VethGenerator(Generator):
    """The generator of net_memif, on veth pairs."""

    def __init__(self, folder, namespace):
        vdevs = [word for i in range(2)
                 for word in ("--vdev", f"net_af_packet{i},iface=peer{i}")]
        self.log_path = folder / "generator.log"
        with open(self.log_path, "w") as log:
            self.process = subprocess.Popen(
                namespace.command(checkout.program("generator"), "-l", SHARED_CORE, "--no-pci",
                                  "--no-telemetry", "--log-level=1", "--no-huge", "--no-shconf",
                                  "-m", 512, *vdevs),
                stdin=subprocess.PIPE, stderr=log, stdout=subprocess.PIPE, text=True, bufsize=1)
        self._answer()

    def open(self, flows):
        self.process.stdin.write(f"open {flows}\n")
        self._answer(600)

    def begin_window(self):
        self.process.stdin.write(f"window {SECONDS} {RATE}\n")

    def end_window(self):
        return self._answer()


class Balancer(SluiceProgram):
    def __init__(self, folder, namespace, text):
        super().__init__(folder, text)
        self.command = lambda *words: ["ip", "netns", "exec", namespace.name, "nice", "-n", "-20",
                                       *map(str, words)]
        self.state.mkdir(mode=0o700, exist_ok=True)
        self.config.write_text(text + toml.table("state", directory=self.state))

    def restart(self, number):
        self.process.send_signal(number)
        self.process.wait()
        ended = time.monotonic()
        self.launch()
        return time.monotonic() - ended


def text_for(folder, flows):
    devices = [f"net_af_packet{i},iface=own{i}" for i in range(2)]
    table = max(1024, flows + flows // 8)
    memory_mb = 160 + table * 48 // 1_000_000 + table // 16_384
    locals_ = [local(i) for i in range(1 + table // PORTS)]
    return (bench_toml.head(folder, devices, memory_mb, 0, flows=table) +
            bench_toml.service("bench", "10.3.0.1:80", locals_)).replace(
                'log_level = "warn"', 'log_level = "info"')


def measure(balancer, generator, end):
    generator.begin_window()
    time.sleep(1)
    seen = len(ADOPTED.findall(balancer.log()))
    balancer.restart(ENDS[end])
    window = generator.end_window()
    adoptions = ADOPTED.findall(balancer.log())[seen:]
    if not adoptions:
        raise BenchError(f"nothing was taken over: {balancer.log()[-600:]}")
    return {"pause_ms": window["gap_ms"], "adopted": int(adoptions[-1][0]),
            "adoption_ms": int(adoptions[-1][1]), "lost": window["lost"]}


def runs_of(flows, repeats):
    tag = f"{os.getpid() % 10_000}-{flows}"
    ends, own = Namespace(f"sb-ends-{tag}"), Namespace(f"sb-own-{tag}")
    try:
        for i in range(2):
            link(own, f"own{i}", ends, f"peer{i}")
        with tempfile.TemporaryDirectory(prefix="sluice-bench-") as name:
            folder = Path(name)
            with Balancer(folder, own, text_for(folder, flows)) as balancer, \
                    VethGenerator(folder, ends) as generator:
                note(f"restart: opening {flows:,} flows")
                generator.open(flows)
                for end in ENDS:
                    for _ in range(repeats):
                        yield {"end": end} | measure(balancer, generator, end)
    finally:
        for namespace in (ends, own):
            namespace.delete()


def restart(arguments):
    """Rows: flows, how the process ended, the pause."""
    rows = []
    for flows in arguments.flows:
        runs = list(runs_of(flows, arguments.repeats))
        for end in ENDS:
            mine = [run for run in runs if run["end"] == end]
            rows.append({"name": "restart", "port": "net_af_packet", "program": end, "flows": flows,
                         "adopted": min(run["adopted"] for run in mine),
                         "adoption_ms": statistics.median(run["adoption_ms"] for run in mine),
                         "pause_ms": statistics.median(run["pause_ms"] for run in mine),
                         "pause_ms_max": max(run["pause_ms"] for run in mine)})
    show(rows)
    if arguments.json:
        Path(arguments.json).write_text(json.dumps({"cases": rows}, indent=1) + "\n")
