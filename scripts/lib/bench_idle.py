# SPDX-License-Identifier: BSD-3-Clause
"""What `eal.idle` costs and saves: a worker that polls beside one that sleeps, in the lab."""

import os
import statistics
import time

from table import print_table

from lab_kit.load import churn
from lab_kit.middles import Sluice
from lab_kit.topology import Lab

RATE = 20  # connections a second that leave silence between them


def cpu_seconds(pid):
    """Of all threads; the fields 14 and 15 of proc(5)."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measured(mode, seconds):
    middle = Sluice(edit=lambda text: text.replace("[eal]", f'[eal]\nidle = "{mode}"', 1))
    with Lab(middle) as lab:
        time.sleep(1)
        before = cpu_seconds(middle.process.pid)
        time.sleep(seconds)
        silent = 100 * (cpu_seconds(middle.process.pid) - before) / seconds
        few = churn(lab, seconds=seconds, concurrency=1, rate=RATE)
        many = churn(lab, seconds=seconds, concurrency=64)
    return {"cpu": silent, "few_p50": few["connect_ms"]["p50"], "few_p99": few["connect_ms"]["p99"],
            "rate": many["rate"], "p99": many["connect_ms"]["p99"]}


def idle(arguments):
    runs = {"poll": [], "sleep": []}
    for _ in range(arguments.repeats):
        for mode, results in runs.items():  # alternating, as in time-wait
            results.append(measured(mode, arguments.seconds))
    rows = [["idle", "CPU in silence %", f"connect, {RATE}/s: p50 ms", "p99 ms",
             "conn/s, 64 at a time", "p99 ms"]]
    for mode, results in runs.items():
        of = {name: statistics.median(run[name] for run in results) for name in results[0]}
        rows.append([mode, f"{of['cpu']:.1f}", f"{of['few_p50']:.2f}", f"{of['few_p99']:.2f}",
                     round(of["rate"]), f"{of['p99']:.2f}"])
    print(f"{arguments.repeats} runs of {arguments.seconds:g} s each, medians; control thread "
          "included\n")
    print_table(rows)
