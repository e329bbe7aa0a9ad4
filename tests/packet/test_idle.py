# SPDX-License-Identifier: BSD-3-Clause
"""What Sluice takes of a machine: no priority over others, and with idle = "sleep" next to no CPU
while there is nothing to do."""

import os
import time

from lab_kit.configuration import Configuration

CONFIG = Configuration(count=1, idle="sleep")


def cpu_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_worker_without_traffic_sleeps(sluice, wire):
    wire.settle()
    time.sleep(0.2)
    before = cpu_seconds(sluice.process.pid)
    time.sleep(1)
    assert cpu_seconds(sluice.process.pid) - before < 0.4


def test_what_comes_after_a_silence_hardly_waits(sluice, wire):
    seconds = []
    for _ in range(20):
        time.sleep(0.01)
        begin = time.monotonic()
        wire.settle()  # four pings, one after the other
        seconds.append((time.monotonic() - begin) / 4)
    assert sorted(seconds)[len(seconds) // 2] < 0.01, seconds


def test_no_thread_goes_before_others(sluice, wire):
    """None of this machine's CPUs is isolated; two of us would leave nothing to anybody else."""
    isolated = open("/sys/devices/system/cpu/isolated").read().strip()
    pid = sluice.process.pid
    nice = [os.getpriority(os.PRIO_PROCESS, int(tid)) for tid in os.listdir(f"/proc/{pid}/task")]
    assert isolated or min(nice) == os.getpriority(os.PRIO_PROCESS, 0), nice
    autogroup = f"/proc/{pid}/autogroup"
    assert not os.path.exists(autogroup) or "nice 0" in open(autogroup).read()
