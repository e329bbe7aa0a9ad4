# SPDX-License-Identifier: BSD-3-Clause
"""IP fragments at an af_packet port.

DPDK opens these ports as a fanout group with PACKET_FANOUT_FLAG_DEFRAG, so the kernel puts
fragments together before Sluice sees them. (At a port that does not, a fragment is dropped and
counted as ipv4_fragment; the unit tests of the parser hold that.)
"""

import pytest
from scapy.layers.inet import IP, fragment
from scapy.layers.l2 import Ether

from lab_kit.configuration import Configuration
from segment import but

CONFIG = Configuration(count=16)


def puts_fragments(end, segment, size, order=lambda pieces: pieces):
    for piece in order(fragment(IP(bytes(segment.packet())), size)):
        end.side.puts(Ether(src=end.side.mac_of(end.address.ip), dst=end.side.mac) / piece)


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
    """Eight bytes of TCP in the first fragment: the flags come in the second."""
    syn = talk.client.would_send("S", df=False)
    talk.client.next = syn.end
    puts_fragments(talk.client, syn, 8)
    talk.backend.gets(syn)
    talk.is_answered().chats()


def test_an_incomplete_packet_never_comes(flow):
    segment = flow.client.would_send("PA", bytes(1200), df=False)
    puts_fragments(flow.client, segment, 400, lambda pieces: pieces[:-1])
    flow.backend.gets_nothing()
    puts_fragments(flow.client, but(segment, id=77), 400, lambda pieces: pieces[1:])
    flow.backend.gets_nothing()
    flow.chats()


def test_a_packet_that_is_too_long_when_it_is_whole(flow, sluice):
    """Three frames' worth of data cannot leave in one: what does not fit the ring is cut off, and
    a packet that is shorter than it says is dropped."""
    segment = flow.client.would_send("PA", bytes(4000), df=False, id=4000)
    with sluice.counts(frame_truncated=1):
        puts_fragments(flow.client, segment, 1400)
        flow.backend.gets_nothing()
    flow.chats()
