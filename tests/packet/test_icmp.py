# SPDX-License-Identifier: BSD-3-Clause
"""ICMP: pings to Sluice, and errors about connections, which go to whoever sent the packet."""

import pytest
from scapy.layers.inet import ICMP, IP
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from conversation import Talk
from lab_kit.addresses import VIP
from lab_kit.configuration import Configuration
from segment import assert_same_frame, but
from table import leave_behind

CONFIG = Configuration(reuse="rebase", count=40)
ROUTER = {"client": "10.1.66.1", "backend": "10.2.66.1"}


def put(side, packet, source=None):
    side.puts(Ether(src=side.mac_of(source or packet.src), dst=side.mac) / packet)


@pytest.mark.parametrize("name, ip", [("client", VIP), ("client", "10.2.1.1"),
                                      ("backend", "10.2.1.1"), ("backend", VIP),
                                      ("client", "10.1.255.254"), ("backend", "10.2.255.254")])
@pytest.mark.parametrize("size", [0, 1, 56, 1472])
def test_own_addresses_answer_pings(wire, sluice, name, ip, size):
    side = getattr(wire, name)
    host = "10.1.50.1" if name == "client" else "10.2.50.1"
    data = bytes(i % 256 for i in range(size))
    with sluice.counts(echo_requests_answered=1 + 4):  # four of counts() itself
        put(side, IP(src=host, dst=ip, ttl=9, id=7, tos=0x10) / ICMP(id=1, seq=2) / Raw(data))
    answer = IP(src=ip, dst=host, ttl=64, id=7, tos=0x10) / ICMP(type=0, id=1, seq=2) / Raw(data)
    assert_same_frame(wire.next_frame(side), bytes(Ether(src=side.mac, dst=side.mac_of(host))
                                                   / answer))


def test_the_other_sides_interface_is_not_ours_here(wire, sluice):
    with sluice.counts(ipv4_not_for_us=1):
        put(wire.client, IP(src="10.1.50.1", dst="10.2.255.254") / ICMP())


ERRORS = {
    "fragmentation needed": dict(type=3, code=4, nexthopmtu=1400),
    "port unreachable": dict(type=3, code=3),
    "host unreachable": dict(type=3, code=1),
    "administratively prohibited": dict(type=3, code=13),
    "time exceeded": dict(type=11, code=0),
    "parameter problem": dict(type=12, code=0),
}


def quoted(segment, size):
    """The first bytes of a packet as the router got it, TTL as it was there."""
    packet = bytes(segment.packet())
    return packet[:20 + len(segment.ip_options) + size]


def error(source, destination, kind, quote, ttl=61):
    return IP(src=source, dst=destination, ttl=ttl, id=99) / ICMP(**kind) / Raw(quote)


def translated_quote(original, quote, *, seq=None):
    """What the sender of `original` must find quoted: its own addresses, ports and sequence, the
    rest as the router had it. The TCP checksum is not mended: it may be cut off."""
    out = IP(quote[:20])
    out.src, out.dst = original.src.ip, original.dst.ip
    del out.chksum
    ports = original.src.port.to_bytes(2, "big") + original.dst.port.to_bytes(2, "big")
    number = (original.seq if seq is None else seq).to_bytes(4, "big")
    header = IP(bytes(IP(bytes(out)[:20])))
    header.len = int.from_bytes(quote[2:4], "big")
    del header.chksum
    return bytes(header)[:20] + ports + number + quote[28:]


@pytest.mark.parametrize("kind", ERRORS.values(), ids=ERRORS)
@pytest.mark.parametrize("size", [8, 20, 60])
def test_an_error_about_what_the_client_sent(wire, sluice, kind, size):
    """A router between Sluice and the backend had to drop it."""
    flow = Talk(wire, sluice.fresh_service()) if size == 8 else shared(wire, sluice)
    if size == 8:
        flow.opens()
    sent = flow.client.sends("PA", b"x" * 100)
    got = flow.backend.gets(sent)
    quote = quoted(got, size)
    with sluice.counts(icmp_errors_translated=1):
        put(wire.backend, error(ROUTER["backend"], flow.local.ip, kind, quote))
    expected = error(VIP, sent.src.ip, kind, translated_quote(sent, quote), ttl=60)
    assert_same_frame(wire.next_frame(wire.client), bytes(
        Ether(src=wire.client.mac, dst=wire.client.mac_of(sent.src.ip)) / expected))


@pytest.mark.parametrize("kind", ERRORS.values(), ids=ERRORS)
@pytest.mark.parametrize("size", [20, 60])
def test_an_error_about_what_the_backend_sent(wire, sluice, kind, size):
    """It comes from the clients' side and quotes VIP > client; backends know local addresses."""
    flow = shared(wire, sluice)
    sent = flow.backend.sends("PA", b"y" * 100)
    got = flow.client.gets(sent)
    quote = quoted(got, size)
    with sluice.counts(icmp_errors_translated=1):
        put(wire.client, error(ROUTER["client"], VIP, kind, quote))
    expected = error(flow.local.ip, sent.src.ip, kind, translated_quote(sent, quote), ttl=60)
    assert_same_frame(wire.next_frame(wire.backend), bytes(
        Ether(src=wire.backend.mac, dst=wire.backend.mac_of(sent.src.ip)) / expected))


def shared(wire, sluice):
    """One connection for all of them: errors do not change it."""
    if not hasattr(sluice, "icmp_flow"):
        sluice.icmp_flow = Talk(wire, sluice.fresh_service()).opens()
    return sluice.icmp_flow


def test_the_sequence_of_a_fitted_connection_is_corrected(wire, service):
    old = leave_behind(Talk(wire, service))
    flow = Talk(wire, service, isn=old.client.next - 70_000, tsval=1)
    flow.opens(fitted=True)
    sent = flow.client.sends("PA", b"z" * 64)
    got = flow.backend.gets(sent)
    assert got.seq != sent.seq
    quote = quoted(got, 8)
    kind = ERRORS["fragmentation needed"]
    put(wire.backend, error(ROUTER["backend"], flow.local.ip, kind, quote))
    expected = error(VIP, sent.src.ip, kind, translated_quote(sent, quote), ttl=60)
    assert_same_frame(wire.next_frame(wire.client), bytes(
        Ether(src=wire.client.mac, dst=wire.client.mac_of(sent.src.ip)) / expected))


def test_an_error_about_a_syn(wire, sluice, service):
    """The backend's host is not there: the client hears of it at once, the backend has refused."""
    talk = Talk(wire, service)
    syn = talk.client.sends("S")
    quote = quoted(talk.backend.gets(syn), 8)
    with sluice.counts(backend_refusals=1, icmp_errors_translated=1):
        put(wire.backend, error(ROUTER["backend"], talk.local.ip, ERRORS["host unreachable"],
                                quote))
    expected = error(VIP, syn.src.ip, ERRORS["host unreachable"], translated_quote(syn, quote),
                     ttl=60)
    assert_same_frame(wire.next_frame(wire.client), bytes(
        Ether(src=wire.client.mac, dst=wire.client.mac_of(syn.src.ip)) / expected))


def test_an_error_about_nobodys_connection(wire, sluice, service):
    flow = Talk(wire, service).opens()
    got = flow.backend.gets(flow.client.sends("A"))
    strange = quoted(but(got, src=got.src._replace(port=got.src.port + 1)), 8)
    with sluice.counts(no_flow_icmp=1):
        put(wire.backend, error(ROUTER["backend"], flow.local.ip, ERRORS["port unreachable"],
                                strange))


def test_a_stranger_who_guesses_a_sequence(wire, sluice, service):
    """RFC 5927: what is not in flight nobody on the way can have dropped."""
    flow = Talk(wire, service).opens()
    got = flow.backend.gets(flow.client.sends("PA", b"data"))
    with sluice.counts(icmp_out_of_window=3):
        for away in (-1, 5, 1 << 31):
            guess = quoted(but(got, seq=(got.seq + away) % (1 << 32)), 8)
            put(wire.backend, error(ROUTER["backend"], flow.local.ip,
                                    ERRORS["fragmentation needed"], guess))
    flow.client.gets(flow.backend.sends("A"))
    flow.chats()


@pytest.mark.parametrize("flaw", ["checksum", "short", "another protocol", "fragment",
                                  "not from there"])
def test_an_error_that_says_nothing_certain(wire, sluice, flaw):
    flow = shared(wire, sluice)
    got = flow.backend.gets(flow.client.sends("A"))
    quote = bytearray(quoted(got, 20))
    kind = dict(ERRORS["port unreachable"])
    destination = flow.local.ip
    if flaw == "checksum":
        kind["chksum"] = 0x1234
    elif flaw == "short":
        del quote[27:]
    elif flaw == "another protocol":
        quote[9] = 132  # SCTP
    elif flaw == "fragment":
        quote[7] = 5
    else:
        destination = VIP
    with sluice.counts(icmp_bad=1):
        put(wire.backend, error(ROUTER["backend"], destination, kind, bytes(quote)))
    flow.chats()
