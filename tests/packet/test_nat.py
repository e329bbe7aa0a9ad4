# SPDX-License-Identifier: BSD-3-Clause
"""Translation: what Sluice changes in a packet, and all that it leaves alone."""

import pytest
from scapy.layers.inet import IP, TCP

import options
from conversation import Talk
from lab_kit.configuration import Configuration
from segment import but

CONFIG = Configuration(count=60)


def test_a_connection_from_open_to_close(talk):
    talk.opens().chats().client_closes_first()


def test_a_connection_without_timestamps(talk):
    talk.client.clock = talk.backend.clock = None
    talk.opens().chats().backend_closes_first()


@pytest.mark.parametrize("size", [0, 1, 2, 3, 777, 1448])
def test_data_of_any_length(flow, size):
    """An odd byte at the end is half a word of the checksum."""
    flow.chats(bytes(range(256)) * 6 if size > 1448 else bytes(i % 251 for i in range(size)))


def test_many_segments_in_order(flow):
    flow.client.gets(flow.backend.sends("A"))  # its window, scaled by now
    sent = [flow.client.sends("PA", bytes([i]) * 1000) for i in range(100)]
    flow.backend.gets_all(*sent)
    sent = [flow.backend.sends("A", bytes([i]) * 1400) for i in range(100)]
    flow.client.gets_all(*sent)


def test_full_frames_in_both_directions(flow):
    full = bytes(1500 - 20 - 32)
    flow.backend.gets(flow.client.sends("A", full))
    flow.client.gets(flow.backend.sends("A", full))


@pytest.mark.parametrize("ttl", [2, 3, 64, 128, 255])
def test_ttl_is_one_less(flow, ttl):
    flow.backend.gets(flow.client.sends("A", b"x", ttl=ttl))
    flow.client.gets(flow.backend.sends("A", b"x", ttl=ttl))


@pytest.mark.parametrize("fields", [
    {"tos": 0xb8}, {"tos": 0x01}, {"tos": 0x02}, {"tos": 0x03}, {"tos": 0xff}, {"id": 0},
    {"id": 0xffff}, {"df": False}, {"window": 0}, {"window": 1}, {"reserved": 7},
    {"urgent": 0xfffe}], ids=str)
def test_other_fields_are_kept(flow, fields):
    flow.backend.gets(flow.client.sends("PA", b"data", **fields))
    flow.client.gets(flow.backend.sends("PA", b"data", **fields))


@pytest.mark.parametrize("flags", ["A", "PA", "UA", "PUA", "EA", "CA", "ECPUA"])
def test_flags_are_kept(flow, flags):
    flow.backend.gets(flow.client.sends(flags, b"data"))
    flow.client.gets(flow.backend.sends(flags, b"data"))


def test_ecn_is_negotiated_end_to_end(talk):
    talk.backend.gets(talk.client.sends("SEC"))
    talk.client.gets(talk.backend.sends("SAE"))
    talk.backend.gets(talk.client.sends("A"))


def test_accurate_ecn_is_negotiated_end_to_end(talk):
    """RFC 9768 uses a reserved bit beside CWR and ECE."""
    talk.backend.gets(talk.client.sends("SEC", reserved=1))
    talk.client.gets(talk.backend.sends("SAC", reserved=1))
    talk.backend.gets(talk.client.sends("A"))


@pytest.mark.parametrize("ip_options", [
    bytes.fromhex("94040000"),  # router alert
    bytes.fromhex("0101010100000000"),
    bytes.fromhex("070704000000000000000000")], ids=bytes.hex)
def test_ip_options_are_kept(flow, ip_options):
    flow.backend.gets(flow.client.sends("PA", b"data", ip_options=ip_options))
    flow.client.gets(flow.backend.sends("PA", b"data", ip_options=ip_options))


def test_ip_options_on_a_syn(talk):
    talk.backend.gets(talk.client.sends("S", ip_options=bytes.fromhex("94040000")))
    talk.is_answered().chats()


@pytest.mark.parametrize("padding", [b"\0" * 6, b"\xff" * 6, b"\xa5" * 33], ids=bytes.hex)
def test_padding_is_no_data(flow, padding):
    """The FIN ends at its number, whatever follows it in the frame."""
    flow.backend.gets(flow.client.sends("FA", padding=padding))
    flow.client.gets(flow.backend.sends("FA", padding=padding))
    flow.backend.gets(flow.client.sends("A", padding=padding))


def test_urgent_data(flow):
    flow.backend.gets(flow.client.sends("UA", b"urgent", urgent=6))


@pytest.mark.parametrize("sender", ["client", "backend"])
@pytest.mark.parametrize("seen", ["before", "after"])
def test_a_tcp_checksum_of_zero(flow, sender, seen):
    """0x0000 and 0xffff are the same sum; the delta has to know which one to write (RFC 1624)."""
    end, other = ends(flow, sender)
    draft = end.would_send("A", b"\0\0")
    judged = draft if seen == "before" else flow.translated(draft, other)
    word = IP(bytes(judged.packet()))[TCP].chksum
    segment = but(draft, data=word.to_bytes(2, "big"))
    assert IP(bytes(but(judged, data=segment.data).packet()))[TCP].chksum == 0
    end.sends_again(segment)
    other.gets(segment)


@pytest.mark.parametrize("sender", ["client", "backend"])
@pytest.mark.parametrize("seen", ["before", "after"])
def test_an_ip_checksum_of_zero(flow, sender, seen):
    end, other = ends(flow, sender)
    draft = end.would_send("A", id=0)
    judged = draft if seen == "before" else flow.translated(draft, other)
    segment = but(draft, id=IP(bytes(judged.packet())).chksum)
    assert IP(bytes(but(judged, id=segment.id).packet())).chksum == 0
    end.sends_again(segment)
    other.gets(segment)


def ends(flow, sender):
    return (flow.client, flow.backend) if sender == "client" else (flow.backend, flow.client)


def test_a_syn_with_data(talk):
    """TCP Fast Open (RFC 7413): data on the SYN, acknowledged with it."""
    cookie = b"\x22\x0a" + b"COOKIE!!" + options.NOP * 2
    syn = talk.client.sends("S", b"early", options=options.of_syn(5) + cookie)
    talk.backend.gets(syn)
    talk.is_answered().chats()


def test_a_syn_with_data_that_is_not_taken(talk):
    syn = talk.client.sends("S", b"early")
    talk.backend.gets(syn)
    answer = talk.backend.sends("SA", ack=syn.seq + 1)
    talk.client.gets(answer)
    talk.backend.gets(talk.client.sends("A", b"early", seq=syn.seq + 1))


def test_two_clients_with_the_same_port(wire, sluice, service):
    """Tuples differ in the client's address alone; so do the translations."""
    first = Talk(wire, service, "10.1.9.1", 4444).opens()
    second = Talk(wire, sluice.fresh_service(), "10.1.9.2", 4444).opens()
    first.chats()
    second.chats()
