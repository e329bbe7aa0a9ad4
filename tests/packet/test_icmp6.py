# SPDX-License-Identifier: BSD-3-Clause
"""ICMPv6, and ICMP across the families: pings, errors about flows, and errors of Sluice's own."""

import itertools
from dataclasses import dataclass

import pytest
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet6 import (ICMPv6DestUnreach, ICMPv6EchoReply, ICMPv6EchoRequest,
                                ICMPv6PacketTooBig, ICMPv6TimeExceeded, IPv6, IPv6ExtHdrDestOpt)
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from lab_kit import toml
from lab_kit.addresses import BACKEND_SIDE, CLIENT_SIDE, VIP
from lab_kit.configuration import Configuration
from segment import assert_same_frame

CLIENT_SIDE6, BACKEND_SIDE6 = "fd00:1::fe", "fd00:2::fe"
VIP6, SILENT6 = "fd00:3::1", "fd00:3::2"
LOCAL, LOCAL6 = "10.2.1.1", "fd00:2::1:1"
CLIENT, CLIENT6 = "10.1.3.7", "fd00:1::7"
BACKEND, BACKEND6 = "10.2.0.10", "fd00:2::10"
ROUTER, ROUTER6 = "10.2.66.1", "fd00:2::66"
MACS = {CLIENT: "02:00:00:01:00:07", CLIENT6: "02:00:00:01:00:07",
        BACKEND: "02:00:00:02:00:10", BACKEND6: "02:00:00:02:00:10",
        ROUTER: "02:00:00:02:00:66", ROUTER6: "02:00:00:02:00:66"}
FAMILIES = ["66", "64", "46"]  # of client and backend
PORTS = {"66": 6600, "64": 6400, "46": 4600}
_client_ports = itertools.count(30000)


@dataclass(frozen=True)
class BothFamilies(Configuration):
    """Neighbours are pinned: neighbour discovery has tests of its own."""

    def toml(self, socket):
        def pinned(*hosts):
            return {host: MACS[host] for host in hosts}

        def links(text, side, own, *hosts):
            neighbours = ", ".join(f'"{ip}" = "{mac}"' for ip, mac in pinned(*hosts).items())
            line = f'addresses = ["{side}/16"]\n'
            assert line in text
            return text.replace(line, f'addresses = ["{side}/16", "{own}/64"]\n'
                                      f'neighbours = {{ {neighbours} }}\n')

        head = links(super().toml(socket), CLIENT_SIDE, CLIENT_SIDE6, CLIENT, CLIENT6)
        head = links(head, BACKEND_SIDE, BACKEND_SIDE6, BACKEND, BACKEND6)
        pools = (toml.local_pool("six", [LOCAL6], (5000, 6000))
                 + toml.local_pool("four", ["10.2.3.1"], (5000, 6000)))
        at = f"[{VIP6}]"
        services = [
            toml.service("66", f"{at}:6600", "six", [f"[{BACKEND6}]:80"], protocol="udp"),
            toml.service("64", f"{at}:6400", "four", [f"{BACKEND}:80"], protocol="udp"),
            toml.service("46", f"{VIP}:4600", "six", [f"[{BACKEND6}]:80"], protocol="udp"),
            toml.service("silent", f"[{SILENT6}]:80", "six", [f"[{BACKEND6}]:81"],
                         icmp_echo=False)]
        return "".join([head, pools, *services])


CONFIG = BothFamilies(count=1)


def ip(source, destination, **fields):
    if ":" not in source:
        return IP(src=source, dst=destination, **fields)
    if "ttl" in fields:
        fields["hlim"] = fields.pop("ttl")
    return IPv6(src=source, dst=destination, **fields)


class Flow:
    """A client's datagram that went to the backend, of either family on either side."""

    def __init__(self, wire, families):
        self.wire = wire
        self.client, self.vip = (CLIENT6, VIP6) if families[0] == "6" else (CLIENT, VIP)
        self.backend = BACKEND6 if families[1] == "6" else BACKEND
        self.port = PORTS[families]
        self.client_port = next(_client_ports)

    def datagram(self, data=b"", **fields):
        return (ip(self.client, self.vip, **fields)
                / UDP(sport=self.client_port, dport=self.port) / Raw(data))

    def asks(self, data=b"x" * 40, **fields):
        packet = self.datagram(data, **fields)
        put(self.wire.client, packet)
        return packet

    def seen(self):
        """What came out to the backend."""
        return Ether(self.wire.next_frame(self.wire.backend)).payload


def put(side, packet):
    side.puts(Ether(src=MACS[packet.src], dst=side.mac) / packet)


def expect(wire, side, packet):
    frame = bytes(Ether(src=side.mac, dst=MACS[packet.dst]) / packet)
    assert_same_frame(wire.next_frame(side), frame)


@pytest.mark.parametrize("address", [VIP6, LOCAL6, CLIENT_SIDE6])
@pytest.mark.parametrize("size", [0, 1, 56, 1452])
def test_own_addresses_answer_pings(wire, sluice, address, size):
    data = bytes(i % 256 for i in range(size))
    with sluice.counts(echo_requests_answered=1 + 4):  # four of counts() itself
        put(wire.client, IPv6(src=CLIENT6, dst=address, hlim=9, tc=0x10)
            / ICMPv6EchoRequest(id=1, seq=2, data=data))
    expect(wire, wire.client, IPv6(src=address, dst=CLIENT6, hlim=64, tc=0x10)
           / ICMPv6EchoReply(id=1, seq=2, data=data))


def test_an_answer_has_no_extension_headers(wire, sluice):
    put(wire.client, IPv6(src=CLIENT6, dst=VIP6) / IPv6ExtHdrDestOpt()
        / ICMPv6EchoRequest(id=3, seq=4, data=b"abc"))
    expect(wire, wire.client, IPv6(src=VIP6, dst=CLIENT6, hlim=64)
           / ICMPv6EchoReply(id=3, seq=4, data=b"abc"))


def test_a_vip_that_is_to_be_silent(wire, sluice):
    with sluice.counts(icmp_echo_off=1):
        put(wire.client, IPv6(src=CLIENT6, dst=SILENT6) / ICMPv6EchoRequest())


def test_a_wrong_checksum(wire, sluice):
    with sluice.counts(icmp_bad=1):
        put(wire.client, IPv6(src=CLIENT6, dst=VIP6) / ICMPv6EchoRequest(cksum=0x1234))


ERRORS = {  # of a router of IPv4, of one of IPv6
    "too big": (ICMP(type=3, code=4, nexthopmtu=1400), ICMPv6PacketTooBig(mtu=1420)),
    "no route": (ICMP(type=3, code=0), ICMPv6DestUnreach(code=0)),
    "prohibited": (ICMP(type=3, code=10), ICMPv6DestUnreach(code=1)),
    "port unreachable": (ICMP(type=3, code=3), ICMPv6DestUnreach(code=4)),
    "time exceeded": (ICMP(type=11, code=0), ICMPv6TimeExceeded(code=0)),
}


def of_family(kind, address):
    return ERRORS[kind][":" in address].copy()


@pytest.mark.parametrize("kind", ERRORS)
@pytest.mark.parametrize("families", FAMILIES)
def test_an_error_about_what_the_client_sent(wire, sluice, families, kind):
    flow = Flow(wire, families)
    sent = flow.asks()
    seen = flow.seen()
    router = ROUTER6 if families[1] == "6" else ROUTER
    ends = {} if kind == "too big" else {"udp_refused": 1}
    with sluice.counts(icmp_errors_translated=1, **ends):
        put(wire.backend, ip(router, seen.src, ttl=61) / of_family(kind, router)
            / Raw(bytes(seen)))
    got = Ether(wire.next_frame(wire.client)).payload
    assert (got.src, got.dst) == (flow.vip, flow.client)
    icmp = of_family(kind, flow.client)
    if families == "46" and kind == "no route":
        icmp.code = 1  # RFC 7915, section 5.2
    body = bytes(got.payload)
    expected = bytes(icmp)
    assert body[:2] == expected[:2] and body[4:8] == expected[4:8]
    quoted = (IPv6 if ":" in flow.client else IP)(body[8:])
    assert (quoted.src, quoted.dst) == (sent.src, sent.dst)
    assert bytes(quoted[UDP]) == bytes(sent.__class__(bytes(sent))[UDP])
    rebuilt = got.__class__(bytes(got))
    checksum = "cksum" if ":" in flow.client else "chksum"
    stated = getattr(rebuilt.payload, checksum)
    delattr(rebuilt.payload, checksum)
    assert getattr(rebuilt.__class__(bytes(rebuilt)).payload, checksum) == stated


@pytest.mark.parametrize("families", FAMILIES)
def test_time_exceeded_quotes_what_was_sent(wire, sluice, families):
    flow = Flow(wire, families)
    reason = "ipv6_hop_limit_expired" if families[0] == "6" else "ipv4_ttl_expired"
    with sluice.counts(time_exceeded_sent=1, **{reason: 1}):
        sent = flow.asks(ttl=1)
    if families[0] == "6":
        answer = IPv6(src=CLIENT_SIDE6, dst=CLIENT6, hlim=64) / ICMPv6TimeExceeded(code=0)
    else:
        answer = (IP(src=CLIENT_SIDE, dst=CLIENT, ttl=64, tos=0xc0, id=0, flags="DF")
                  / ICMP(type=11, code=0))
    expect(wire, wire.client, answer / Raw(bytes(sent)))


def test_a_port_where_nobody_listens(wire, sluice):
    packet = IPv6(src=CLIENT6, dst=VIP6) / UDP(sport=33000, dport=33434) / Raw(b"tracepath")
    with sluice.counts(no_service=1, port_unreachable_sent=1):
        put(wire.client, packet)
    expect(wire, wire.client, IPv6(src=VIP6, dst=CLIENT6, hlim=64) / ICMPv6DestUnreach(code=4)
           / Raw(bytes(packet)))
