# SPDX-License-Identifier: BSD-3-Clause
"""UDP: every byte of datagrams both ways, checksums of each kind, ICMP about them, and ends."""

import itertools

import pytest
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from lab_kit.addresses import CLIENT_SIDE, VIP
from lab_kit.configuration import Configuration
from segment import assert_same_frame

CONFIG = Configuration(count=40, ports=2, service_keys=(("protocol", "udp"),
                                                        ("udp_idle_seconds", 2)))
CLIENT = "10.1.50.1"
BACKEND = "10.2.0.10"
ROUTER = "10.2.66.1"
_client_ports = itertools.count(20000)


class Exchange:
    """A client, a service, and what is known of the flow between them."""

    def __init__(self, wire, service):
        self.wire = wire
        self.vip = service.vip
        self.client_port = next(_client_ports)
        self.local = None

    def _put(self, side, source, packet):
        side.puts(Ether(src=side.mac_of(source), dst=side.mac) / packet)

    def asks(self, data=b"", chksum=None, **ip):
        udp = UDP(sport=self.client_port, dport=self.vip.port, chksum=chksum)
        packet = IP(src=CLIENT, dst=VIP, **ip) / udp / Raw(data)
        self._put(self.wire.client, CLIENT, packet)
        return packet

    def answers(self, data=b"", chksum=None, **ip):
        udp = UDP(sport=80, dport=self.local[1], chksum=chksum)
        packet = IP(src=BACKEND, dst=self.local[0], **ip) / udp / Raw(data)
        self._put(self.wire.backend, BACKEND, packet)
        return packet

    def backend_gets(self, sent):
        frame = self.wire.next_frame(self.wire.backend)
        got = Ether(frame)
        self.local = self.local or (got[IP].src, got[UDP].sport)
        self._judge(self.wire.backend, frame, sent, *self.local, BACKEND, 80)

    def client_gets(self, sent):
        frame = self.wire.next_frame(self.wire.client)
        self._judge(self.wire.client, frame, sent, VIP, self.vip.port, CLIENT, self.client_port)

    def _judge(self, side, frame, sent, source, sport, destination, dport):
        """What was sent, with other addresses, one hop less, and checksums that are right."""
        want = IP(bytes(sent))
        none = want[UDP].chksum == 0
        want.src, want.dst, want.ttl = source, destination, want.ttl - 1
        want[UDP].sport, want[UDP].dport = sport, dport
        del want.chksum
        if not none:
            del want[UDP].chksum
        assert_same_frame(frame, bytes(Ether(src=side.mac, dst=side.mac_of(destination)) / want))


@pytest.fixture
def exchange(wire, service):
    return Exchange(wire, service)


@pytest.mark.parametrize("chksum", [None, 0], ids=["checksum", "none"])
@pytest.mark.parametrize("size", [0, 1, 2, 3, 511, 1471, 1472])
def test_every_byte_both_ways(exchange, sluice, size, chksum):
    data = bytes(i % 251 for i in range(size))
    with sluice.counts(flows_opened=1):
        exchange.backend_gets(exchange.asks(data, chksum, ttl=9, tos=0xb8, id=77, flags="DF"))
        exchange.client_gets(exchange.answers(data[::-1], chksum, ttl=200, tos=4, id=78))


def test_ip_options_pass(exchange):
    exchange.backend_gets(exchange.asks(b"abc", options=b"\x01" * 8))


def test_a_wrong_checksum_opens_nothing(exchange, sluice):
    with sluice.counts(udp_checksum_bad=1):
        exchange.asks(b"abc", chksum=0x1234)


@pytest.mark.parametrize("length", [0, 7, 12, 65535])
def test_lengths_that_cannot_be(exchange, sluice, length):
    with sluice.counts(udp_header_bad=1):
        packet = IP(src=CLIENT, dst=VIP) / UDP(sport=9, dport=exchange.vip.port, len=length,
                                               chksum=0) / Raw(b"abc")
        exchange._put(exchange.wire.client, CLIENT, packet)


def test_ttl_one_opens_no_flow(exchange, wire, sluice):
    with sluice.counts(ipv4_ttl_expired=1, time_exceeded_sent=1):
        packet = exchange.asks(ttl=1)
    answer = (IP(src=CLIENT_SIDE, dst=CLIENT, ttl=64, tos=0xc0, id=0, flags="DF")
              / ICMP(type=11, code=0) / Raw(bytes(packet)))
    assert_same_frame(wire.next_frame(wire.client), bytes(
        Ether(src=wire.client.mac, dst=wire.client.mac_of(CLIENT)) / answer))


def test_no_service_there(wire, sluice):
    packet = IP(src=CLIENT, dst=VIP) / UDP(sport=33000, dport=33434) / Raw(b"traceroute")
    with sluice.counts(no_service=1, port_unreachable_sent=1):
        wire.client.puts(Ether(src=wire.client.mac_of(CLIENT), dst=wire.client.mac) / packet)
    answer = IP(src=VIP, dst=CLIENT, ttl=64, tos=0xc0, id=0, flags="DF") / ICMP(type=3, code=3)
    assert_same_frame(wire.next_frame(wire.client),
                      bytes(Ether(src=wire.client.mac, dst=wire.client.mac_of(CLIENT))
                            / answer / Raw(bytes(packet))))


def error(source, destination, kind, code, quote):
    return IP(src=source, dst=destination, ttl=61) / ICMP(type=kind, code=code) / Raw(quote)


@pytest.mark.parametrize("chksum", [None, 0], ids=["checksum", "none"])
@pytest.mark.parametrize("size", [8, 20])
def test_a_routers_error_quotes_what_the_client_sent(exchange, wire, sluice, chksum, size):
    sent = exchange.asks(bytes(range(64)), chksum)
    exchange.backend_gets(sent)
    ask = IP(bytes(sent))
    on_its_way = ask.copy()
    on_its_way.src, on_its_way.dst, on_its_way.ttl = exchange.local[0], BACKEND, 63
    on_its_way[UDP].sport, on_its_way[UDP].dport = exchange.local[1], 80
    del on_its_way.chksum
    if chksum is None:
        del on_its_way[UDP].chksum
    quote = bytes(on_its_way)[:20 + size]
    with sluice.counts(icmp_errors_translated=1, udp_refused=1):
        wire.backend.puts(Ether(src=wire.backend.mac_of(ROUTER), dst=wire.backend.mac)
                          / error(ROUTER, exchange.local[0], 3, 1, quote))
    ask.ttl = 63
    del ask.chksum
    wanted = error(VIP, CLIENT, 3, 1, bytes(ask)[:20 + size])
    wanted.ttl = 60
    assert_same_frame(wire.next_frame(wire.client),
                      bytes(Ether(src=wire.client.mac, dst=wire.client.mac_of(CLIENT)) / wanted))


def test_port_unreachable_ends_the_flow_and_the_next_is_another(exchange, wire, sluice):
    exchange.backend_gets(exchange.asks())
    first = exchange.local
    udp = IP(src=first[0], dst=BACKEND) / UDP(sport=first[1], dport=80)
    with sluice.counts(icmp_errors_translated=1, udp_refused=1):
        wire.backend.puts(Ether(src=wire.backend.mac_of(BACKEND), dst=wire.backend.mac)
                          / error(BACKEND, first[0], 3, 3, bytes(udp)))
    assert Ether(wire.next_frame(wire.client))[ICMP].code == 3
    exchange.local = None
    exchange.backend_gets(exchange.asks())
    assert exchange.local != first


def test_a_flow_ends_when_it_is_silent(exchange, wire, sluice):
    exchange.backend_gets(exchange.asks())
    exchange.client_gets(exchange.answers())
    wire.wait_until(lambda: not sluice.show("flows"), "the flow does not end")
    with sluice.counts(no_flow_outbound=1):
        exchange.answers()
