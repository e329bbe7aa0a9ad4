# SPDX-License-Identifier: BSD-3-Clause
"""A backends' link with a smaller MTU: who is told, what is fragmented, what SYNs say."""

import json
from contextlib import contextmanager

import pytest
from scapy.layers.inet import ICMP, IP
from scapy.layers.l2 import Ether
from scapy.packet import Raw

import options
from conversation import Talk
from lab_kit.addresses import VIP
from lab_kit.configuration import Configuration
from lab_kit.process import wait_until
from segment import assert_same_frame, but

CONFIG = Configuration(count=8)
NARROW = 1400
QUOTED = 548  # of an error of 576 bytes


@contextmanager
def narrow_link(links, sluice):
    def set_mtu(mtu):
        links.namespace.ip("link", "set", "lb-backend", "mtu", str(mtu))
        wait_until(lambda: f"MTU {mtu}, it was" in sluice.log(), 10, "the MTU is not heeded")

    set_mtu(NARROW)
    try:
        yield
    finally:
        set_mtu(1500)


@pytest.fixture(scope="module")
def narrow(links, sluice):
    """A connection opened while the MTUs were the same, so its SYNs passed as they were."""
    flow = Talk(links, sluice.fresh_service()).opens()
    with narrow_link(links, sluice):
        yield flow


def test_with_df_the_client_is_told(wire, sluice, narrow):
    big = narrow.client.would_send("PA", b"x" * 1400)
    with sluice.counts(mtu_exceeded=1, fragmentation_needed_sent=1):
        narrow.client.sends_again(big)
    quote = bytes(big.packet())[:QUOTED]
    answer = (IP(src=VIP, dst=big.src.ip, tos=0xc0, flags="DF", id=0, ttl=64)
              / ICMP(type=3, code=4, nexthopmtu=NARROW) / Raw(quote))
    assert_same_frame(wire.next_frame(wire.client), bytes(
        Ether(src=wire.client.mac, dst=wire.client.mac_of(big.src.ip)) / answer))


def test_without_df_it_comes_in_fragments(wire, sluice, narrow):
    with sluice.counts(packets_fragmented=1):
        big = narrow.client.sends("PA", bytes(i % 251 for i in range(1400)), df=False)
    pieces = [Ether(wire.next_frame(wire.backend))[IP] for _ in range(2)]
    assert all(len(piece) <= NARROW for piece in pieces)
    assert [(piece.frag, str(piece.flags)) for piece in pieces] == [(0, "MF"), (172, "")]
    assert pieces[0].id == pieces[1].id
    whole = narrow.translated(big, narrow.backend).packet()
    assert b"".join(bytes(piece.payload) for piece in pieces) == bytes(IP(bytes(whole)).payload)


def test_syns_state_what_both_links_carry(wire, sluice, narrow, service):
    def clamped(segment):
        return but(segment, options=options.mss(NARROW - 40) + segment.options[4:])

    talk = Talk(wire, service)
    talk.backend.gets(clamped(talk.client.sends("S")))
    talk.client.gets(clamped(talk.backend.sends("SA")))
    talk.backend.gets(talk.client.sends("A"))
    talk.chats()


def test_doctor_names_them(wire, sluice, narrow):
    done = sluice.ctl_run("doctor", "--json")
    (row,) = [row for row in json.loads(done.stdout)["findings"] if row["area"] == "mtu"]
    assert row["severity"] == "warning"
    assert "client 1500, backend 1400" in row["what"]
