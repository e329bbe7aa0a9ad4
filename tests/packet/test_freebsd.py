# SPDX-License-Identifier: BSD-3-Clause
"""A backend in FreeBSD's manner: TIME_WAIT goes by the sequence alone, and drops silently.

Nothing in the answers tells Sluice that such a backend is at the other end, so under `rebase`
every SYN must be good enough for it; and where Sluice has forgotten the past, it must notice the
silence.
"""

import random
import time

from conversation import Talk, newer
from lab_kit.configuration import Configuration
from stacks import freebsd_takes, memory_of

CONFIG = Configuration(reuse="rebase", count=8, ports=2)
RETRY_SECONDS = 1  # sooner is a copy, which nobody counts


class FreeBsd:
    """Its TIME_WAIT table."""

    def __init__(self):
        self.held = {}  # the peer's endpoint -> Memory

    def takes(self, syn):
        return syn.src not in self.held or freebsd_takes(self.held[syn.src], syn)

    def closes_first(self, talk):
        talk.backend_closes_first()
        self.held[talk.local] = memory_of(talk)


def clients(luck, wire, service, count):
    """Strangers to each other: any sequence, any clock, some without one."""
    for i in range(count):
        yield Talk(wire, service, f"10.1.{luck.randrange(200)}.{luck.randrange(1, 255)}",
                   isn=luck.choice([luck.getrandbits(32), 0, 2**32 - 1, 2**31]),
                   tsval=luck.choice([None, luck.getrandbits(32)]))


def test_every_reuse_is_taken(wire, service, sluice):
    """A hundred connections over two ports; the model says nothing to a SYN it does not like, and
    the test would wait in vain."""
    backend = FreeBsd()
    for talk in clients(random.Random(8), wire, service, 100):
        got = talk.backend.gets_fitted(talk.client.sends("S"))
        assert backend.takes(got)
        backend.closes_first(talk.is_answered().chats(b"x"))
    row = sluice.pool_of(service)
    assert row["sequence_adjusts"] > 20 and row["heals"] == 0


def test_long_uploads_between_reuses(wire, service):
    """The sequence that counts is the one that was reached, beyond what the SYN said."""
    backend, luck = FreeBsd(), random.Random(5)
    for talk in clients(luck, wire, service, 20):
        assert backend.takes(talk.backend.gets_fitted(talk.client.sends("S")))
        talk.is_answered()
        for _ in range(luck.randrange(1, 20)):
            talk.client.gets(talk.backend.sends("A"))
            talk.backend.gets(talk.client.sends("PA", bytes(1400)))
        backend.closes_first(talk.chats())


def test_after_a_restart_its_silence_is_noticed(wire, sluice):
    """Sluice has forgotten a tuple that the backend still holds: the client's second retransmission
    goes by another port."""
    service = sluice.fresh_service()
    old = Talk(wire, service).opens().backend_closes_first()
    sluice.restart()
    talk = Talk(wire, service, isn=old.client.isn - 5)
    syn = talk.client.sends("S")
    got = talk.backend.gets(syn)
    backend = FreeBsd()
    backend.held[got.src] = memory_of(old)  # of all its tuples, the one that is picked
    assert not backend.takes(got)
    time.sleep(RETRY_SECONDS)
    talk.client.sends_again(syn)
    assert not backend.takes(talk.backend.gets(syn))
    time.sleep(RETRY_SECONDS)
    talk.client.sends_again(syn)
    talk.backend.gets_reset(seq=syn.end)
    assert backend.takes(talk.backend.gets_fitted(syn))
    talk.is_answered().chats()


def test_the_model_itself(wire, service):
    old = Talk(wire, service).opens().chats()
    old.backend_closes_first()
    memory = memory_of(old)
    assert memory.seq == old.client.next and not newer(old.client.isn, memory.seq)
    wire.settle()
