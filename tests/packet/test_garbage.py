# SPDX-License-Identifier: BSD-3-Clause
"""Garbage at both ports: Sluice stays up, leaks nothing, and a connection goes on through it.

Random bytes, frames cut short, and frames of real connections with some bits changed. Each seed is
fixed, so a failure comes again.
"""

import random

import pytest
from scapy.layers.inet import ICMP, IP
from scapy.layers.l2 import ARP, Ether

from conversation import Talk
from lab_kit.addresses import VIP, Endpoint
from lab_kit.configuration import Configuration
from segment import Segment

CONFIG = Configuration(count=24, ports=64)
FRAMES = 3000
AT_ONCE = 250  # before Sluice is given time to take them from its ring


def good_frames(wire, talk):
    """What a client's and a backend's wire really carry."""
    client, backend = talk.client, talk.backend
    frames = [end.would_send(flags, data).frame(end.side.mac_of(end.address.ip), end.side.mac)
              for end in (client, backend)
              for flags, data in (("S", b""), ("SA", b""), ("A", b""), ("PA", b"data" * 50),
                                  ("FA", b""), ("R", b""))]
    for side, ip in ((wire.client, "10.1.70.1"), (wire.backend, "10.2.70.1")):
        mac = side.mac_of(ip)
        quote = bytes(client.would_send("A").packet())[:28]
        frames.append(bytes(Ether(src=mac, dst=side.mac) / ARP(hwsrc=mac, psrc=ip, pdst=VIP)))
        frames.append(bytes(Ether(src=mac, dst=side.mac) / IP(src=ip, dst=VIP) / ICMP()))
        frames.append(bytes(Ether(src=mac, dst=side.mac) / IP(src=ip, dst=VIP)
                            / ICMP(type=3, code=4) / quote))
    return frames


def random_bytes(luck, good):
    return luck.randbytes(luck.randrange(14, 1514))


def random_behind_our_mac(luck, good):
    ether = luck.choice(good)[:12] + luck.choice([b"\x08\x00", b"\x08\x06"])
    return ether + luck.choice([b"", b"\x45", b"\x4f"]) + luck.randbytes(luck.randrange(0, 100))


def cut_short(luck, good):
    frame = luck.choice(good)
    return frame[:luck.randrange(14, len(frame) + 1)]


def with_bits_changed(luck, good):
    frame = bytearray(luck.choice(good))
    for _ in range(luck.choice([1, 1, 2, 8])):
        frame[luck.randrange(14, len(frame))] ^= 1 << luck.randrange(8)
    return bytes(frame)


def with_right_checksums(luck, good):
    """The hardest ones: Scapy makes lengths and checksums right after the change."""
    frame = bytearray(luck.choice(good))
    for _ in range(luck.choice([1, 2, 4])):
        frame[luck.randrange(23, len(frame))] = luck.randrange(256)
    packet = Ether(bytes(frame))
    for layer in (IP, ICMP, "TCP"):
        if packet.haslayer(layer):
            del packet[layer].chksum
    return bytes(packet)


KINDS = [random_bytes, random_behind_our_mac, cut_short, with_bits_changed, with_right_checksums]


def test_every_length_of_a_frame(wire, sluice, flow):
    """A frame of the flow cut at each byte: no length is special."""
    frame = flow.client.would_send("PA", b"0123456789").frame(
        flow.client.side.mac_of(flow.client.address.ip), flow.client.side.mac)
    whole = len(frame)
    for length in range(14, whole):
        wire.client.puts(frame[:length])
    wire.settle()
    assert not wire.backend.inbox
    flow.chats()


def test_a_flood_of_syns_from_everywhere(wire, sluice, service):
    """More than there are ports: the oldest make way, and the open connection goes on."""
    flow = Talk(wire, service, "10.1.73.1").opens()
    for i in range(2000):
        source = Endpoint(f"10.1.{100 + i % 100}.{i // 100 + 1}", 1024 + i)
        wire.client.puts(Segment(source, service.vip, "S", seq=i).frame(
            wire.client.mac_of(source.ip), wire.client.mac))
        if i % 100 == 99:
            wire.settle()
    wire.settle()
    wire.client.inbox.clear()
    wire.backend.inbox.clear()
    flow.chats()
    row = sluice.pool_of(service)
    # Half of the ports are for handshakes that are not finished; one connection is.
    assert row["in_use"] == row["ports"] // 2 + 1 and row["exhausted"] == 0


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_garbage(wire, sluice, service, kind):
    """What Sluice makes of garbage is its own matter, as long as it goes on. It may be at it for
    seconds, where it heals what looked like a stale ACK."""
    luck = random.Random(kind.__name__)
    # ARP has no checksum: a changed one may redirect its victim, so nobody is a victim twice.
    client_ip = f"10.1.71.{1 + KINDS.index(kind)}"
    bystander = Talk(wire, sluice.fresh_service(), "10.1.185.90")
    late = Talk(wire, sluice.fresh_service())
    victim = Talk(wire, service, client_ip)
    wire.hears_only(bystander, late, victim)
    good = good_frames(wire, victim.opens())
    wire.hears_only(bystander.opens(), late)
    for i in range(FRAMES):
        frame = kind(luck, good)
        for side in wire.sides:
            side.puts(frame)
        if i % AT_ONCE == AT_ONCE // 2:
            assert sluice.unaccounted() == 0, "in the middle of it"
        if i % AT_ONCE == AT_ONCE - 1:
            wire.settle()
            bystander.chats()
    wire.settle()
    assert sluice.is_up()
    bystander.chats().client_closes_first()
    late.opens().chats()
    (worker,) = sluice.show("workers")
    assert worker["packets_in"] > 0
    assert sluice.unaccounted() == 0
