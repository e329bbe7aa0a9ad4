# SPDX-License-Identifier: BSD-3-Clause
"""Models of what stacks remember of a connection in TIME_WAIT, and of the SYNs that they take.

Written from the stacks' sources and the RFCs, not from Sluice's: they judge it.
"""

from typing import NamedTuple, Optional

from conversation import newer
from lab_kit.tcp_options import find_timestamps


class Memory(NamedTuple):
    """What is left of the old connection at the backend."""

    seq: int  # RCV.NXT
    tsval: Optional[int]  # TS.Recent; None: no timestamps were agreed on


def memory_of(talk):
    """Of a connection that a test has played to its end."""
    tsval = talk.backend.echo if talk.backend.clock is not None else None
    return Memory(talk.backend.expects, tsval)


def numbers_of(syn):
    stamps = find_timestamps(syn.options)
    return syn.seq, stamps[0] if stamps else None


def linux_takes(old, syn):
    """net/ipv4/tcp_minisocks.c, tcp_timewait_state_process()."""
    seq, tsval = numbers_of(syn)
    both = old.tsval is not None and tsval is not None
    if both and newer(old.tsval, tsval):  # PAWS
        return False
    return newer(seq, old.seq) or (both and newer(tsval, old.tsval))


def freebsd_takes(old, syn):
    """sys/netinet/tcp_timewait.c, tcp_twcheck(): the sequence alone."""
    return newer(numbers_of(syn)[0], old.seq)


def rfc6191_takes(old, syn):
    seq, tsval = numbers_of(syn)
    if old.tsval is None or tsval is None:
        return newer(seq, old.seq)
    return newer(tsval, old.tsval) or (tsval == old.tsval and newer(seq, old.seq))


STACKS = (linux_takes, freebsd_takes, rfc6191_takes)


def all_take(old, syn):
    return all(takes(old, syn) for takes in STACKS)


class RecyclingHost:
    """Linux before 4.12 with tcp_tw_recycle = 1: one newest timestamp for each peer *address*
    (tcp_peer_is_proven(), PAWS per host). A SYN whose TSval is older is dropped silently while the
    memory is younger than 60 s, whatever its port."""

    def __init__(self):
        self.newest = {}  # peer address -> TSval

    def hears(self, segment):
        """Whether it takes a SYN; other segments it always does."""
        _, tsval = numbers_of(segment)
        known = self.newest.get(segment.src.ip)
        if tsval is None:
            return True
        if known is not None and newer(known, tsval):
            return "S" not in segment.flags
        self.newest[segment.src.ip] = tsval
        return True
