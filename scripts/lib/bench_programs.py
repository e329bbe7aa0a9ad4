# SPDX-License-Identifier: BSD-3-Clause
"""testpmd and sluice as processes on ports that are given, and how many packets a second they take.

Both poll on WORKER_CORE at the priority that a Sluice worker asks for, in bursts of 64.
"""

import re
import subprocess
import time

from bench_common import BenchError
from lab_kit.process import SHARED_CORE, WORKER_CORE, stop_process
from lab_kit.sluice import SluiceProcess

BURST = 64
MEMORY_MB = 512
START_SECONDS = 20


def at_high_priority(*words):
    return ["nice", "-n", "-20", *words]


class Program:
    """A child process with its output in a file; a context manager."""

    def __init__(self, folder, name, command):
        self.log_path = folder / f"{name}.log"
        with open(self.log_path, "w") as log:
            self.process = subprocess.Popen(at_high_priority(*command), stdin=subprocess.PIPE,
                                            stdout=log, stderr=subprocess.STDOUT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        stop_process(self.process)

    def log(self):
        return self.log_path.read_text(errors="replace")

    def wait_for(self, ready, what):
        """Polls until `ready()` is true."""
        end = time.monotonic() + START_SECONDS
        while not ready():
            if self.process.poll() is not None:
                raise BenchError(f"{what} ended: {self.log()[-600:]}")
            if time.monotonic() > end:
                raise BenchError(
                    f"{what} is not ready after {START_SECONDS} s: {self.log()[-600:]}")
            time.sleep(0.05)


def memory_arguments(huge_mb):
    if huge_mb >= MEMORY_MB:
        return ["--in-memory", "-m", str(MEMORY_MB)]
    return ["--no-huge", "--no-shconf", "-m", str(MEMORY_MB)]


class Testpmd(Program):
    """Forwards between two ports; `mode` is one of its forwarding modes."""

    def __init__(self, folder, devices, mode, huge_mb, eal=()):
        vdevs = [word for device in devices for word in ("--vdev", device)]
        super().__init__(folder, f"testpmd-{mode}", [
            "dpdk-testpmd", "-l", f"{SHARED_CORE},{WORKER_CORE}", "--main-lcore",
            str(SHARED_CORE), "--no-pci", "--no-telemetry", *memory_arguments(huge_mb), *eal,
            *vdevs, "--", "--nb-cores=1", f"--forward-mode={mode}", "--auto-start",
            f"--burst={BURST}", "--total-num-mbufs=32768", "--stats-period=1", "--no-mlockall"])

    def received(self, seconds):
        """Packets a second that all ports received: one figure for each second."""
        self.wait_for(lambda: "Rx-pps" in self.log(), "testpmd")
        seen = len(self._figures())
        self.wait_for_figures(seen + 2 + seconds)
        return self._figures()[seen + 2:]

    def wait_for_figures(self, count):
        while len(self._figures()) < count:
            if self.process.poll() is not None:
                raise BenchError(f"testpmd ended: {self.log()[-600:]}")
            time.sleep(0.1)

    def _figures(self):
        rates = [int(rate) for rate in re.findall(r"Rx-pps:\s+(\d+)", self.log())]
        return [sum(pair) for pair in zip(rates[0::2], rates[1::2])]


class SluiceProgram(SluiceProcess):
    """`sluice` with a configuration of its own; a context manager."""

    def __init__(self, folder, toml):
        super().__init__(folder, at_high_priority)
        self.config.write_text(toml)

    def __enter__(self):
        self.launch()
        return self

    def __exit__(self, *_):
        self.stop()

    def received(self, seconds):
        """Packets a second that the workers received: one figure for each second."""
        figures = []
        before, at = self.worker_sum("packets_in"), time.monotonic()
        for _ in range(seconds):
            time.sleep(1)
            now, then = self.worker_sum("packets_in"), time.monotonic()
            figures.append((now - before) / (then - at))
            before, at = now, then
        return figures
