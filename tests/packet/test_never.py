# SPDX-License-Identifier: BSD-3-Clause
"""`reuse = "never"`: a tuple in TIME_WAIT rests it out, a clean one comes back."""

import time

from conversation import Talk
from lab_kit.configuration import Configuration
from table import leave_behind

CONFIG = Configuration(reuse="never", count=8, backend_seconds=2)
REST_SECONDS = 2


def test_a_clean_port_comes_back(wire, service):
    Talk(wire, service).opens().client_closes_first()
    Talk(wire, service, isn=1).opens().chats()


def test_a_held_port_rests_even_from_a_perfect_syn(wire, service, sluice):
    old = leave_behind(Talk(wire, service))
    start = time.monotonic()
    refused = Talk(wire, service, isn=old.client.next + 1000, tsval=old.client.clock + 1000)
    refused.client.sends("S")
    refused.client.gets_reset(seq=0, ack=refused.client.next)
    # Then its time is over, and any SYN will do.
    time.sleep(max(0, REST_SECONDS + 0.2 - (time.monotonic() - start)))
    Talk(wire, service, isn=old.client.next - 1000, tsval=1).opens().chats()
    row = sluice.pool_of(service)
    assert (row["reuse_rested"], row["exhausted"]) == (1, 1)


def test_a_late_segment_starts_the_rest_anew(wire, service, sluice):
    """The backend's TIME_WAIT begins again with every segment that it must answer."""
    old = leave_behind(Talk(wire, service))
    time.sleep(REST_SECONDS * 0.75)
    old.client.sends("FA", seq=old.client.next - 1)
    late = time.monotonic()
    wire.settle()
    old.backend.side.inbox.clear()
    time.sleep(REST_SECONDS * 0.5)
    refused = Talk(wire, service)
    refused.client.sends("S")
    wire.settle()
    if time.monotonic() - late < REST_SECONDS:  # else this machine was too slow to see it
        refused.client.gets_reset(seq=0, ack=refused.client.next)
    else:
        for side in wire.sides:
            side.inbox.clear()


def test_the_oldest_port_goes_first(wire, sluice, service):
    """With one port there is no choice; the ledger says who had it."""
    for _ in range(3):
        Talk(wire, service).opens().client_closes_first()
    row = sluice.pool_of(service)
    assert (row["fresh"], row["reuse_available"], row["peak"]) == (1, 2, 1)
