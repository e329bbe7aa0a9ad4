# SPDX-License-Identifier: BSD-3-Clause
"""A SYN where a connection stands already."""

import pytest

from conversation import Talk
from lab_kit.configuration import Configuration

CONFIG = Configuration(count=40, ports=2)


@pytest.fixture
def again(wire, service):
    """Another connection of the same client address and port."""
    def after(talk, **numbers):
        return Talk(wire, service, *talk.client.address, **numbers)
    return after


def test_on_an_unanswered_one(talk, again, sluice):
    """The client began anew: the backend hears of the end of the old SYN, then of the new one."""
    talk.backend.gets(talk.client.sends("S"))
    anew = again(talk, isn=0x99990000)
    with sluice.counts(flows_replaced=1, flows_opened=1, resets_to_backends=1):
        syn = anew.client.sends("S")
        talk.backend.gets_reset(seq=talk.client.isn + 1)
        anew.backend.gets(syn)
    assert anew.local != talk.local
    anew.is_answered().chats()


def test_on_one_that_is_half_open(talk, again, sluice):
    talk.backend.gets(talk.client.sends("S"))
    talk.client.gets(talk.backend.sends("SA"))
    anew = again(talk, isn=0x99990000)
    with sluice.counts(flows_replaced=1, resets_to_backends=1):
        syn = anew.client.sends("S")
        talk.backend.gets_reset(seq=talk.client.isn + 1)
        anew.backend.gets(syn)
    anew.is_answered().chats()


def test_on_an_open_one(flow, again):
    """Nobody but the backend can judge it: it passes, the challenge ACK comes back, and if the
    client did begin anew, its RST clears the way (RFC 5961, section 4)."""
    stranger = again(flow, isn=0x99990000)
    syn = stranger.client.sends("S")
    flow.backend.gets(syn)
    flow.client.gets(flow.backend.sends("A", seq=flow.backend.next))
    flow.chats()


def test_on_an_open_one_whose_client_did_begin_anew(flow, again):
    anew = again(flow, isn=0x99990000)
    syn = anew.client.sends("S")
    flow.backend.gets(syn)
    challenge = flow.backend.sends("A")
    flow.client.gets(challenge)
    flow.backend.gets(flow.client.sends("R", seq=challenge.ack, options=b""))
    anew.client.sends_again(syn)
    anew.backend.gets(syn)
    anew.is_answered().chats()


def test_on_an_open_one_that_both_ends_have_forgotten(flow, again, sluice):
    """The backend takes it, so the connection begins anew where it was."""
    with sluice.counts(syns_passed=1, flows_restarted=1, flows_opened=1, flows_established=1):
        anew = again(flow, isn=0x99990000, backend_isn=0x12340000).opens()
    assert anew.local == flow.local
    anew.chats().backend_closes_first()


def test_on_an_open_one_that_the_backend_then_refuses(flow, again, sluice):
    anew = again(flow, isn=0x99990000)
    anew.backend.gets(anew.client.sends("S"))
    with sluice.counts(backend_refusals=1, flows_closed_available=1):
        anew.client.gets(anew.backend.sends("RA", seq=0, options=b""))
    again(flow, isn=0x99999000).opens().chats()


@pytest.mark.parametrize("first", ["client", "backend"])
def test_on_a_closed_one(flow, again, sluice, first):
    close(flow, first)
    with sluice.counts(flows_opened=1):
        anew = again(flow, isn=0x99990000).opens()
    anew.chats()


def test_on_one_whose_last_ack_is_missing(flow, again, sluice):
    """Both FINs were seen; a client that sends SYN has left the old connection behind. The backend
    is in LAST_ACK, which a RST ends."""
    flow.backend.gets(flow.client.sends("FA"))
    flow.client.gets(flow.backend.sends("FA"))
    anew = again(flow, isn=0x99990000)
    with sluice.counts(flows_replaced=1, flows_opened=1, resets_to_backends=1):
        syn = anew.client.sends("S")
        flow.backend.gets_reset(seq=flow.client.next)
        anew.backend.gets(syn)
    anew.is_answered().chats()


def test_on_one_whose_last_ack_is_missing_at_the_client(flow, again, sluice):
    """The backend is in TIME_WAIT or about to be: there is nothing to reset."""
    flow.client.gets(flow.backend.sends("FA"))
    flow.backend.gets(flow.client.sends("FA"))
    anew = again(flow, isn=0x99990000)
    with sluice.counts(flows_replaced=1, flows_opened=1):
        anew.backend.gets(anew.client.sends("S"))
    anew.is_answered().chats()


def test_on_one_that_a_rst_ended(flow, again):
    flow.backend.gets(flow.client.sends("R", options=b""))
    again(flow).opens().chats()


def test_on_one_that_the_backend_refused(talk, again):
    talk.backend.gets(talk.client.sends("S"))
    talk.client.gets(talk.backend.sends("RA", seq=0, options=b""))
    again(talk, isn=talk.client.isn + 1000).opens().chats()


def close(flow, first):
    flow.client_closes_first() if first == "client" else flow.backend_closes_first()
