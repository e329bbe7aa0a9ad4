# SPDX-License-Identifier: BSD-3-Clause
"""What the lab's tests share: labs that are taken down whatever happens, and the judgements."""

import os
import signal
import sys
from contextlib import contextmanager

import pytest

from lab_kit.capture import SIGNALS, Capture, judge
from lab_kit.load import TIME_WAIT_REJECTS, time_wait_counters
from lab_kit.middles import build_dir
from lab_kit.topology import BACKENDS, Lab


def pytest_sessionstart(session):
    if os.geteuid() != 0:
        pytest.exit("the lab makes network namespaces: run as root", 2)
    for program in ("control/sluice", "control/sluicectl", "tests/tools/churn"):
        if not (build_dir() / program).exists():
            pytest.exit(f"{build_dir() / program} is not built: run scripts/build", 2)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


@contextmanager
def lab_with(middle):
    """A lab for one test; what the middle logged is shown with a failure."""
    with Lab(middle) as lab:
        try:
            yield lab
        finally:
            if hasattr(middle, "log"):
                print("sluice's log:\n" + middle.log())


class Witness:
    """What the backends' kernels and their captures say about a stretch of time."""

    def __init__(self):
        self.rejects = None
        self.verdicts = []

    @property
    def stale_acks(self):
        return sum(verdict.stale_acks for verdict in self.verdicts)

    def assert_no_reject(self):
        """No SYN was refused because of TIME_WAIT: not by a counter, not on the wire."""
        assert self.rejects == dict.fromkeys(TIME_WAIT_REJECTS, 0)
        assert self.stale_acks == 0, self.verdicts

    def assert_reuse(self):
        """The proof is empty where no tuple was used twice."""
        for verdict in self.verdicts:
            assert verdict.syns > verdict.tuples, verdict


@contextmanager
def witness(lab, port=80):
    """Watches both backends for the length of a block."""
    seen = Witness()
    before = time_wait_counters(lab)
    with Capture(lab, lab.backends[0], SIGNALS) as first, \
            Capture(lab, lab.backends[1], SIGNALS) as second:
        yield seen
    after = time_wait_counters(lab)
    seen.rejects = {name: after[name] - before[name] for name in after}
    assert len(BACKENDS) == 2 and first.dropped == second.dropped == 0, "a capture lost packets"
    seen.verdicts = [judge(capture.packets(), port) for capture in (first, second)]


def assert_all_well(report):
    """Every connection came to its end, and none met an unanswered SYN."""
    assert report["opened"] > 0
    assert report["failed"] == 0 and report["stalls"] == 0, report
