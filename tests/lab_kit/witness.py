# SPDX-License-Identifier: BSD-3-Clause
"""Judgements on a load: what its report says, the backends' kernels, and captures at both."""

from contextlib import contextmanager

from lab_kit.capture import SIGNALS, captures
from lab_kit.load import TIME_WAIT_REJECTS, time_wait_counters
from lab_kit.time_wait_judge import judge


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
    with captures(lab, SIGNALS, *lab.backends) as running:
        yield seen
    after = time_wait_counters(lab)
    seen.rejects = {name: after[name] - before[name] for name in after}
    assert all(capture.dropped == 0 for capture in running), "a capture lost packets"
    seen.verdicts = [judge(capture.packets(), port) for capture in running]


def assert_all_well(report):
    """Every connection came to its end, and none met an unanswered SYN."""
    assert report["opened"] > 0
    assert report["failed"] == 0 and report["stalls"] == 0, report
