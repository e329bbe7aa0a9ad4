# SPDX-License-Identifier: BSD-3-Clause
"""A connection that is silent too long is reset at both ends, each at the number it expects.

Every way of falling silent is a function here that plays it and says what must come of it. All of
them are played at once, so that one wait serves them all; the tests judge what came.
"""

import time
from typing import NamedTuple, Optional

import pytest

from conversation import Talk
from lab_kit.configuration import Configuration
from segment import assert_same_frame, reset
from table import leave_behind

SECONDS = 3  # of silence, in any state
STATES = ("syn_sent", "syn_received", "established", "half_closed", "closing", "closed")
CONFIG = Configuration(reuse="rebase", count=20,
                       timeouts=tuple((state, SECONDS) for state in STATES))


class Resets(NamedTuple):
    """Numbers of the RSTs: at the client with an acknowledgement, at the backend without one."""

    client_seq: int
    client_ack: int
    backend_seq: Optional[int]  # None: it gets none


def as_they_stand(talk):
    """Each end has acknowledged all that the other sent."""
    shift = talk.shift.seq
    return Resets(talk.client.expects, talk.client.next, (talk.client.next + shift) % 2**32)


def established(talk):
    return as_they_stand(talk.opens().chats())


def data_that_nobody_acknowledged(talk):
    """The ends may or may not have it: their last acknowledgement is what is certain."""
    talk.opens().chats()
    known = talk.client.expects
    taken = talk.backend.expects
    talk.client.gets(talk.backend.sends("PA", b"never acknowledged"))
    talk.backend.gets(talk.client.sends("PA", b"nor this", ack=known))
    return Resets(known, talk.client.next, taken)


def an_unanswered_syn(talk):
    """The client is refused; the backend, should it have heard, is reset."""
    syn = talk.client.sends("S")
    talk.backend.gets(syn)
    return Resets(0, syn.end, syn.end)


def half_open(talk):
    talk.backend.gets(talk.client.sends("S"))
    talk.client.gets(talk.backend.sends("SA"))
    return as_they_stand(talk)


def half_closed_by_the_client(talk):
    talk.opens()
    talk.backend.gets(talk.client.sends("FA"))
    talk.client.gets(talk.backend.sends("A"))
    return as_they_stand(talk)


def half_closed_by_the_backend(talk):
    talk.opens()
    talk.client.gets(talk.backend.sends("FA"))
    talk.backend.gets(talk.client.sends("A"))
    return as_they_stand(talk)


def the_clients_last_ack_is_missing(talk):
    """The backend is in LAST_ACK, and a RST ends it."""
    talk.opens()
    talk.backend.gets(talk.client.sends("FA"))
    fin = talk.backend.sends("FA")
    talk.client.gets(fin)
    return Resets(fin.seq, talk.client.next, talk.client.next)


def the_backends_last_ack_is_missing(talk):
    """The backend is in TIME_WAIT or near it: it has nothing that a RST should touch."""
    talk.opens()
    talk.client.gets(talk.backend.sends("FA"))
    talk.backend.gets(talk.client.sends("FA"))
    return Resets(talk.client.expects, talk.client.next, None)


def a_fitted_one(talk):
    """Each end hears its own numbers."""
    old = leave_behind(talk)
    anew = Talk(talk.client.wire, talk.service, *talk.client.address, isn=old.client.next - 9999,
                tsval=5)
    talk.client, talk.backend = anew.client, anew.backend
    anew.opens(fitted=True).chats()
    return as_they_stand(anew)


def over(talk):
    """Nothing is left that anybody would have to hear."""
    talk.opens().client_closes_first()


WAYS = [established, data_that_nobody_acknowledged, an_unanswered_syn, half_open,
        half_closed_by_the_client, half_closed_by_the_backend, the_clients_last_ack_is_missing,
        the_backends_last_ack_is_missing, a_fitted_one, over]


class Silence:
    """All the ways at once: their connections, and the frames that came of each."""

    def __init__(self, wire, sluice):
        self.talks = {way: Talk(wire, sluice.fresh_service()) for way in WAYS}
        self.expected = {way: way(talk) for way, talk in self.talks.items()}
        wire.wait_until(lambda: not sluice.show("flows"), "connections stayed")
        wire.settle()
        self.frames = list(wire.client.inbox), list(wire.backend.inbox)
        wire.client.inbox.clear()
        wire.backend.inbox.clear()

    def at(self, end):
        """Frames of one connection at one of its ends: every service has an address of its own."""
        mine = self.frames[end.side is end.wire.backend]
        port = end.remote.port.to_bytes(2, "big")
        ip = bytes(map(int, end.remote.ip.split(".")))
        return [frame for frame in mine if frame[26:30] == ip and frame[34:36] == port]


@pytest.fixture(scope="module")
def silence(links, sluice):
    return Silence(links, sluice)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_the_ends_of(silence, sluice, way):
    talk, expected = silence.talks[way], silence.expected[way]
    client, backend = talk.client, talk.backend
    wanted = [], []
    if expected:
        wanted[0].append(reset(client.remote, client.address, expected.client_seq,
                               expected.client_ack))
        if expected.backend_seq is not None:
            wanted[1].append(reset(backend.remote, backend.address, expected.backend_seq))
    for end, segments in zip((client, backend), wanted):
        frames = silence.at(end)
        assert len(frames) == len(segments), [frame.hex() for frame in frames]
        for frame, segment in zip(frames, segments):
            assert_same_frame(frame, segment.frame(end.side.mac, end.side.mac_of(end.hop)))
    assert sluice.pool_of(talk.service)["in_use"] == 0


def test_they_are_counted(silence, sluice):
    timed_out = sum(expected is not None for expected in silence.expected.values())
    assert sluice.counters()["flows_timed_out"] == timed_out
    for way in (established, over):
        (row,) = [row for row in sluice.show("backends")
                  if row["service"] == silence.talks[way].service.name]
        assert row["timeouts"] == (way is established)


def test_the_port_serves_again(silence, wire):
    Talk(wire, silence.talks[established].service).opens().chats().client_closes_first()


@pytest.mark.parametrize("late", ["client", "backend"])
def test_a_late_segment_meets_a_reset(silence, wire, sluice, late):
    """Sluice knows nothing of the connection any more: as a host would, it says so."""
    talk = silence.talks[half_closed_by_the_client]
    end = talk.client if late == "client" else talk.backend
    reason = "no_flow_inbound" if late == "client" else "no_flow_outbound"
    with sluice.counts(**{reason: 1}):
        segment = end.sends("PA", b"hello?")
        end.gets_reset(seq=segment.ack)


def test_whoever_speaks_in_time_stays(flow, sluice):
    """For longer than the limit, a word now and then."""
    end = time.monotonic() + SECONDS * 1.3
    while time.monotonic() < end:
        time.sleep(SECONDS / 10)
        flow.backend.gets(flow.client.sends("A"))
    flow.chats()
    assert sluice.pool_of(flow.service)["in_use"] == 1
