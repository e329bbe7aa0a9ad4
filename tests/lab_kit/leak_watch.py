# SPDX-License-Identifier: BSD-3-Clause
"""What long loads hold Sluice to: what it must have given back once the load is gone."""

import os
import re
import time

SETTLE_SECONDS = 60
MEMORY_GROWTH_MAX_KB = 8 * 1024  # in the second half of a run, when all arrays have been touched


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def resident_kb(pid):
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(r"RssAnon:\s+(\d+) kB", status.read())[1])


class Watch:
    """What stands at the start, and what has become of it."""

    def __init__(self, lab):
        self.lab = lab
        self.pid = lab.middle.process.pid
        self.buffers = lab.middle.worker_sum("buffers_used")
        self.descriptors = descriptors(self.pid)
        self.half_way_kb = None

    def half_way(self):
        self.half_way_kb = resident_kb(self.pid)

    def is_idle(self):
        return self.lab.middle.worker_sum("flows") == 0

    def settle(self):
        """Waits until every flow has run out; returns whether it has."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while not self.is_idle():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.5)
        return True

    def judge(self):
        """After settle(): rows of (what, whether it is right, what was seen)."""
        middle = self.lab.middle
        pools = middle.show("pools")
        in_use = sum(row["in_use"] for row in pools)
        lost = [row for row in pools
                if row["available"] + row["in_use"] + row["time_wait"] != row["ports"]]
        buffers, fds = middle.worker_sum("buffers_used"), descriptors(self.pid)
        rows = [("ports in use", in_use == 0, in_use),
                ("pools whose ports do not add up", not lost, len(lost)),
                ("packet buffers not given back", buffers <= self.buffers, buffers - self.buffers),
                ("descriptors more than at the start", fds <= self.descriptors,
                 fds - self.descriptors)]
        if self.half_way_kb is not None:
            grown = resident_kb(self.pid) - self.half_way_kb
            rows.append(("kB of memory more than half way", grown <= MEMORY_GROWTH_MAX_KB, grown))
        return rows
