# SPDX-License-Identifier: BSD-3-Clause
"""TCP options pass byte for byte and in order, whatever they are."""

import struct

import pytest

import options
from conversation import Talk
from lab_kit.configuration import Configuration
from lab_kit.tcp_options import find_timestamps
from options import END, NOP, SACK_PERMITTED, mss, sack, timestamps, window_scale

CONFIG = Configuration(count=63)

TS = timestamps(0x11223344, 0x55667788)

LISTS = {
    "none": b"",
    "mss": mss(536),
    "mss of zero": mss(0),
    "sack permitted": SACK_PERMITTED + NOP * 2,
    "timestamps, unpadded order": TS + NOP * 2,
    "timestamps at an odd offset": NOP + TS + NOP,
    "timestamps at offset 3": NOP * 3 + TS + NOP * 3,
    "timestamps behind unknown": b"\xfd\x05abc" + TS + NOP,
    "timestamps twice": TS + TS,
    "window scale of 14": window_scale(14) + NOP,
    "window scale beyond its range": window_scale(255) + NOP,
    "all of them": mss() + SACK_PERMITTED + TS + NOP + window_scale(7),
    "all of them, backwards": window_scale(7) + NOP + TS + SACK_PERMITTED + mss(),
    "md5 (RFC 2385)": b"\x13\x12" + bytes(range(16)) + NOP * 2,
    "tcp-ao (RFC 5925)": b"\x1d\x10" + bytes(range(14)),
    "mptcp": b"\x1e\x0c" + bytes(range(10)),
    "fast open cookie": b"\x22\x0a" + b"COOKIE01" + NOP * 2,
    "user timeout": b"\x1c\x04\x80\x05",
    "experimental": b"\xfe\x06\xf9\x89AB" + NOP * 2,
    "skeeter and friends": b"\x10\x04ab\x11\x04cd",
    "nops only": NOP * 40,
    "end at once": END * 4,
    "end, then what looks like timestamps": END + TS + NOP,
    "forty bytes": b"\xfd\x28" + bytes(range(38)),
    "a length of zero": b"\xfd\x00" + TS,
    "a length of one": b"\x08\x01" + TS,
    "a length beyond the list": b"\xfd\x0b" + bytes(6),
    "timestamps that are too short": b"\x08\x09" + bytes(7) + NOP * 3,
    "timestamps that are too long": b"\x08\x0b" + bytes(9) + NOP,
    "timestamps cut off": NOP * 2 + b"\x08\x0a",
    "a kind without a length": NOP * 3 + b"\x08",
    "sack with an odd length": b"\x05\x07" + bytes(5) + NOP,
    "padding that is not zero": mss() + END + b"\xde\xad\xbe",
}


@pytest.mark.parametrize("listed", LISTS.values(), ids=LISTS)
def test_on_a_syn_and_its_answer(talk, listed):
    talk.backend.gets(talk.client.sends("S", options=listed))
    talk.client.gets(talk.backend.sends("SA", options=listed))
    talk.backend.gets(talk.client.sends("A", options=b""))


@pytest.fixture(scope="module")
def shared(sluice, links):
    """One open connection for all lists: segments leave no trace in it."""
    links.settle()
    return Talk(links, sluice.fresh_service()).opens()


@pytest.mark.parametrize("listed", LISTS.values(), ids=LISTS)
def test_on_data(wire, shared, listed):
    shared.backend.gets(shared.client.sends("PA", b"question", options=listed))
    shared.client.gets(shared.backend.sends("PA", b"answer", options=listed))


@pytest.mark.parametrize("blocks", [1, 2, 3, 4])
def test_sack_blocks(wire, shared, blocks):
    edges = [(i * 10_000, i * 10_000 + 1448) for i in range(1, blocks + 1)]
    listed = NOP * 2 + sack(*edges)
    shared.backend.gets(shared.client.sends("A", options=listed))
    shared.client.gets(shared.backend.sends("A", options=listed))


def test_sack_and_timestamps_together(wire, shared):
    listed = NOP * 2 + TS + NOP * 2 + sack((1, 2), (3, 4), (5, 6))
    shared.backend.gets(shared.client.sends("A", options=listed))
    shared.client.gets(shared.backend.sends("A", options=listed))


def test_timestamps_are_the_clients_own(talk):
    """Every TSval that the backend gets is one that the client sent, and the other way round."""
    talk.opens()
    for tsval in (0, 1, 0x7fffffff, 0x80000000, 0xffffffff):
        sent = talk.client.sends("A", b"x", tsval=tsval)
        got = talk.backend.gets(sent)
        assert find_timestamps(got.options)[0] == tsval
        talk.client.gets(talk.backend.sends("A", b"y"))


def test_the_walk_of_the_tests_themselves():
    listed = mss() + NOP + timestamps(5, 6) + NOP + sack((7, 8))
    assert find_timestamps(listed) == (5, 6)
    moved = options.shifted(listed, tsval=1, tsecr=-7, edges=-8)
    edges = struct.pack("!BBII", 5, 10, 2**32 - 1, 0)
    assert moved == mss() + NOP + timestamps(6, -1) + NOP + edges
