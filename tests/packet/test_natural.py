# SPDX-License-Identifier: BSD-3-Clause
"""`reuse = "natural"`: a tuple in TIME_WAIT goes to a SYN that a Linux backend takes as it is.

One test for each row of the table in the design (measured on Linux 6.18), and its edges. There is
one port, so a SYN either gets the tuple that is in TIME_WAIT or is refused.
"""

import pytest

from conversation import Talk
from lab_kit.configuration import Configuration
from table import ROWS, leave_behind, new_numbers

CONFIG = Configuration(reuse="natural", count=63)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_row(wire, sluice, service, row):
    old = leave_behind(Talk(wire, service, tsval=row.old_tsval))
    anew = Talk(wire, service, **new_numbers(old, row))
    if row.linux_takes:
        anew.opens().chats()
        assert sluice.pool_of(service)["reuse_natural"] == 1
    else:
        with sluice.counts(ports_exhausted=1, resets_to_clients=1):
            syn = anew.client.sends("S")
            anew.client.gets_reset(seq=0, ack=syn.end)
        assert sluice.pool_of(service)["avoided"] == 1


def test_what_was_really_sent_counts(wire, service, sluice):
    """A long and fast connection: its last numbers, not its first, and not what a clock says."""
    old = Talk(wire, service).opens()
    old.client.gets(old.backend.sends("A"))
    for _ in range(20):
        old.backend.gets(old.client.sends("A", b"x" * 1000))
    old.backend.gets(old.client.sends("A", tsval=old.client.clock + 500_000))
    old.client.gets(old.backend.sends("A"))
    last_tsval = old.client.clock - 1 + 500_000
    old.client.clock = last_tsval + 1
    leave_behind(old, opened=True)
    between = Talk(wire, service, isn=old.client.isn + 10_000, tsval=last_tsval - 1)
    with sluice.counts(ports_exhausted=1, resets_to_clients=1):
        syn = between.client.sends("S")
        between.client.gets_reset(seq=0, ack=syn.end)
    Talk(wire, service, isn=old.client.next, tsval=old.client.clock).opens()


def test_an_old_timestamp_late_in_the_connection_changes_nothing(wire, service, sluice):
    """A segment that was overtaken carries an older TSval; the backend remembers the newest."""
    old = Talk(wire, service).opens()
    old.backend.gets(old.client.sends("A", b"new", tsval=5_000_000))
    old.client.gets(old.backend.sends("A"))
    late = old.client.would_send("A", b"old", seq=old.client.next - 3, tsval=1_500_000)
    old.client.sends_again(late)
    old.backend.gets(late)
    old.client.clock = 5_000_001
    leave_behind(old, opened=True)
    refused = Talk(wire, service, isn=old.client.next + 5, tsval=2_000_000)
    with sluice.counts(ports_exhausted=1, resets_to_clients=1):
        syn = refused.client.sends("S")
        refused.client.gets_reset(seq=0, ack=syn.end)


def test_a_late_segment_raises_what_the_backend_remembers(wire, service, sluice):
    """TIME_WAIT takes the timestamp of a FIN that comes again, and starts anew."""
    old = leave_behind(Talk(wire, service))
    fin = old.client.would_send("FA", seq=old.client.next - 1, tsval=8_000_000)
    old.client.sends_again(fin)
    old.backend.gets(fin)
    old.client.gets(old.backend.sends("A"))
    refused = Talk(wire, service, isn=old.client.next + 5, tsval=7_000_000)
    with sluice.counts(ports_exhausted=1, resets_to_clients=1):
        syn = refused.client.sends("S")
        refused.client.gets_reset(seq=0, ack=syn.end)
    Talk(wire, service, isn=old.client.next + 5, tsval=8_000_001).opens()


def test_a_refused_client_may_try_again(wire, service, sluice):
    """The SYN that was refused leaves nothing behind; a later one with better numbers goes."""
    old = leave_behind(Talk(wire, service))
    refused = Talk(wire, service, isn=old.client.next - 1000, tsval=old.client.clock - 1000)
    with sluice.counts(ports_exhausted=1, resets_to_clients=1):
        syn = refused.client.sends("S")
        refused.client.gets_reset(seq=0, ack=syn.end)
    Talk(wire, service, *refused.client.address, isn=old.client.next + 1000,
         tsval=old.client.clock + 1000).opens().chats()
