# SPDX-License-Identifier: BSD-3-Clause
"""`tcp_timestamps = "rewrite"`: one timestamp clock towards a backend, Sluice's own.

For backends that judge timestamps per host: Linux before 4.12 with tcp_tw_recycle = 1 keeps the
newest TSval of each peer address and drops SYNs behind it silently. Behind a SNAT address all
clients are one host, so their clocks must be one clock.
"""

import random

import options
from conversation import Talk, newer, segment_of
from lab_kit.addresses import Endpoint
from lab_kit.configuration import Configuration
from lab_kit.tcp_options import find_timestamps
from segment import Segment, assert_same_frame, but
from stacks import RecyclingHost, all_take, memory_of

CONFIG = Configuration(reuse="rebase", count=16, ports=32,
                       service_keys=(("tcp_timestamps", "rewrite"),))


class Rewritten:
    """A connection whose timestamps are Sluice's towards the backend: what arrives is what was
    sent, but for TSval, which is read and handed to the test."""

    def __init__(self, wire, service, **numbers):
        self.talk = Talk(wire, service, **numbers)
        self.sent = {}  # TSval at the backend -> TSval of the client

    def arrives(self, segment):
        """At the backend; returns the TSval that it has there."""
        talk = self.talk
        frame = talk.client.wire.next_frame(talk.backend.side)
        if talk.backend.remote is None or "S" in segment.flags:
            talk.backend._learn_peer(frame)
            talk.shift = talk.shift._replace(seq=(segment_of(frame).seq - segment.seq) % 2**32)
        stamps = find_timestamps(segment_of(frame).options)
        mine = find_timestamps(segment.options)
        expected = talk.translated(segment, talk.backend)
        expected = but(expected, options=options.shifted(expected.options,
                                                         tsval=stamps[0] - mine[0]))
        talk.backend._judge(frame, expected)
        self.sent[stamps[0]] = mine[0]
        return stamps[0]

    def returns(self, segment):
        """At the client: TSecr is one of its own again; all else is as it was sent."""
        talk = self.talk
        frame = talk.client.wire.next_frame(talk.client.side)
        echoed = find_timestamps(segment.options)[1]
        expected = talk.translated(segment, talk.client)
        expected = but(expected, options=options.shifted(expected.options,
                                                         tsecr=self.sent[echoed] - echoed))
        talk.client._judge(frame, expected)

    def opens(self):
        self.arrives(self.talk.client.sends("S"))
        self.returns(self.talk.backend.sends("SA"))
        self.arrives(self.talk.client.sends("A"))
        return self

    def backend_closes_first(self):
        self.returns(self.talk.backend.sends("FA"))
        self.arrives(self.talk.client.sends("FA"))
        self.returns(self.talk.backend.sends("A"))
        return self


def test_tsval_is_sluices_and_tsecr_the_clients(wire, service):
    talk = Rewritten(wire, service, tsval=123).opens()
    for _ in range(5):
        talk.arrives(talk.talk.client.sends("PA", b"question"))
        talk.returns(talk.talk.backend.sends("PA", b"answer"))
    talk.backend_closes_first()


def test_the_clock_never_goes_back(wire, service):
    """Forty clients with clocks of their own, one after the other and mixed."""
    luck = random.Random(4)
    latest, open_ones = None, []
    for _ in range(24):
        one = Rewritten(wire, service, isn=luck.getrandbits(32), tsval=luck.getrandbits(32))
        open_ones.append(one.opens())
        for one in luck.sample(open_ones, min(3, len(open_ones))):
            tsval = one.arrives(one.talk.client.sends("PA", b"x"))
            assert latest is None or not newer(latest, tsval)
            latest = tsval


def test_a_host_that_recycles_takes_every_syn(wire, service):
    """tcp_tw_recycle's rule per host, with connections that the backend closes first."""
    luck = random.Random(12)
    host = RecyclingHost()
    for _ in range(60):
        one = Rewritten(wire, service, client_ip=f"10.1.{luck.randrange(200)}.4",
                        isn=luck.getrandbits(32), tsval=luck.getrandbits(32))
        syn = one.talk.client.sends("S")
        tsval = one.arrives(syn)
        seen = but(one.talk.translated(syn, one.talk.backend),
                   options=options.of_syn(tsval))
        assert host.hears(seen), "dropped silently: the client would stall"
        one.returns(one.talk.backend.sends("SA"))
        one.arrives(one.talk.client.sends("A"))
        one.backend_closes_first()


def test_reuse_is_fitted_on_top_of_it(wire, sluice):
    """More connections than ports: sequences are shifted, and every stack takes the SYN."""
    service, luck, memories = sluice.fresh_service(), random.Random(3), {}
    for _ in range(80):
        one = Rewritten(wire, service, isn=luck.getrandbits(32), tsval=luck.getrandbits(32))
        syn = one.talk.client.sends("S")
        tsval = one.arrives(syn)
        seen = but(one.talk.translated(syn, one.talk.backend), options=options.of_syn(tsval))
        old = memories.get(one.talk.local)
        assert old is None or all_take(old, seen)
        one.returns(one.talk.backend.sends("SA"))
        one.arrives(one.talk.client.sends("A"))
        one.backend_closes_first()
        memories[one.talk.local] = memory_of(one.talk)


def test_a_client_without_timestamps_stays_without(wire, service):
    Talk(wire, service, tsval=None).opens().chats().backend_closes_first()


def test_tsecr_that_was_never_sent_is_not_invented(wire, service):
    """A backend that echoes nonsense: the client gets something, and the connection goes on."""
    one = Rewritten(wire, service).opens()
    nonsense = one.talk.backend.would_send("A", options=options.of_segment(5, 0xdeadbeef))
    one.talk.backend.sends_again(nonsense)
    frame = wire.next_frame(wire.client)
    got = segment_of(frame)
    expected = one.talk.translated(but(nonsense, options=got.options), one.talk.client)
    assert_same_frame(frame, expected.frame(wire.client.mac,
                                            wire.client.mac_of(one.talk.client.address.ip)))
    one.arrives(one.talk.client.sends("A"))


def test_the_model_itself():
    """Where every client keeps its own clock, the same host drops about half of them."""
    luck, host, dropped = random.Random(1), RecyclingHost(), 0
    for _ in range(100):
        syn = Segment(Endpoint("10.2.1.1", 5000), Endpoint("10.2.0.10", 80), "S",
                      options=options.of_syn(luck.getrandbits(32)))
        dropped += not host.hears(syn)
    assert dropped > 30
