# SPDX-License-Identifier: BSD-3-Clause
"""IP fragments: put together, cut again where they have to, and named where they are wrong."""

import time

import pytest
from scapy.layers.inet import IP, fragment
from scapy.layers.l2 import Ether

from lab_kit.configuration import Configuration
from segment import but

CONFIG = Configuration(count=16)


def puts_fragments(end, segment, size, order=lambda pieces: pieces):
    for piece in order(fragment(IP(bytes(segment.packet())), size)):
        end.side.puts(Ether(src=end.side.mac_of(end.address.ip), dst=end.side.mac) / piece)


@pytest.fixture(autouse=True)
def forgotten():
    """What a test leaves waiting is dropped a second later, and must not count in the next."""
    yield
    time.sleep(1.2)


def backwards(pieces):
    return pieces[::-1]


@pytest.mark.parametrize("order", [list, backwards], ids=["in order", "backwards"])
def test_a_segment_in_fragments_arrives_whole(flow, order):
    for end, other in ((flow.client, flow.backend), (flow.backend, flow.client)):
        segment = end.would_send("PA", bytes(i % 256 for i in range(1200)), df=False)
        puts_fragments(end, segment, 400, order)
        other.gets(segment)
        end.next = segment.end


def test_a_syn_in_fragments_opens_a_connection(talk):
    syn = talk.client.would_send("S", df=False)
    talk.client.next = syn.end
    puts_fragments(talk.client, syn, 24)
    talk.backend.gets(syn)
    talk.is_answered().chats()


def test_a_syn_whose_flags_come_second(talk, sluice):
    """RFC 1858: eight bytes of TCP in the first fragment hide what it is."""
    syn = talk.client.would_send("S", df=False)
    with sluice.counts(fragment_tiny=3):
        puts_fragments(talk.client, syn, 8, lambda pieces: pieces[:3])
    talk.opens().chats()


def test_an_incomplete_packet_never_comes(flow):
    segment = flow.client.would_send("PA", bytes(1200), df=False)
    puts_fragments(flow.client, segment, 400, lambda pieces: pieces[:-1])
    flow.backend.gets_nothing()
    puts_fragments(flow.client, but(segment, id=77), 400, lambda pieces: pieces[1:])
    flow.backend.gets_nothing()
    flow.chats()


def test_an_overlap_spoils_the_whole(flow, sluice):
    segment = flow.client.would_send("PA", bytes(1200), df=False, id=78)
    pieces = fragment(IP(bytes(segment.packet())), 400)
    other = fragment(IP(bytes(segment.packet())), 600)
    with sluice.counts(fragment_overlap=2):
        puts_fragments(flow.client, segment, 400, lambda _: [pieces[0], other[1], *pieces[1:3]])
        flow.backend.gets_nothing()
    flow.chats()


def test_a_fragment_that_comes_twice(flow, sluice):
    segment = flow.client.would_send("PA", bytes(i % 256 for i in range(1200)), df=False, id=80)
    with sluice.counts(fragment_duplicate=1):
        puts_fragments(flow.client, segment, 400, lambda pieces: [pieces[0], *pieces])
        flow.backend.gets(segment)
    flow.client.next = segment.end
    flow.chats()


def test_ten_fragments_are_too_many(flow, sluice):
    segment = flow.client.would_send("PA", bytes(1200), df=False, id=79)
    with sluice.counts(fragments_too_many=3):
        puts_fragments(flow.client, segment, 136)
        flow.backend.gets_nothing()
    flow.chats()


def test_a_packet_that_is_too_long_when_it_is_whole(flow, wire, sluice):
    """It leaves as it came: in pieces."""
    segment = flow.client.would_send("PA", bytes(i % 251 for i in range(4000)), df=False, id=4000)
    with sluice.counts(datagrams_reassembled=1, packets_fragmented=1):
        puts_fragments(flow.client, segment, 1400)
        pieces = [Ether(wire.next_frame(wire.backend))[IP] for _ in range(3)]
    flow.client.next = segment.end
    assert [piece.frag for piece in pieces] == [0, 185, 370]
    whole = b"".join(bytes(piece.payload) for piece in pieces)
    assert whole == bytes(IP(bytes(flow.translated(segment, flow.backend).packet())).payload)
    flow.chats()
