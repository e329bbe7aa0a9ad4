# SPDX-License-Identifier: BSD-3-Clause
"""pcap files for ports that replay them.

    clients 10.64.0.0/10 -- gateway 10.1.255.1 -- [client] Sluice [server] -- backend 10.2.0.10:80
                                                VIP 10.3.0.1:80..  locals 10.2.1.1 .. port 1024
"""

import random
import struct
from ipaddress import IPv4Address

from lab_kit.frames import FRAME_MIN, tcp_frame, write_pcap

GATEWAY = IPv4Address("10.1.255.1")
BACKEND = IPv4Address("10.2.0.10")
VIP = IPv4Address("10.3.0.1")
PEER_MAC = bytes.fromhex("020000000002")
SYN, ACK, PSH_ACK, SYN_ACK = 0x02, 0x10, 0x18, 0x12
LOCAL_PORT = 1024
LOCALS_PER_SERVICE = 250


def pcap_mac(number):
    """The MAC address that DPDK gives the net_pcap port it makes as the number-th."""
    return bytes.fromhex("0270636170") + bytes([number])


def local(number):
    return IPv4Address("10.2.1.1") + number


def client(number):
    return IPv4Address("10.64.0.1") + number, 40000


def vip_of(number):
    """The service of the number-th connection; a local pool holds no more addresses."""
    return VIP, 80 + number // LOCALS_PER_SERVICE


def segment(port, source, destination, flags, sequence, acknowledgement, payload=b""):
    return tcp_frame(pcap_mac(port) + PEER_MAC, source, destination, flags, sequence,
                     acknowledgement, payload)


def arp_reply(mac, sender):
    """Says that the peer's MAC has `sender`."""
    return (mac + PEER_MAC + b"\x08\x06" + struct.pack("!HHBBH", 1, 0x0800, 6, 4, 2) + PEER_MAC +
            sender.packed + mac + bytes(4)).ljust(FRAME_MIN, b"\0")


def write_replays(folder, flows):
    """client.pcap and server.pcap are to be replayed for ever: a segment of each connection, and
    what ARP asks for. setup.pcap, to be read once, opens the connections. All have the same
    sequence numbers and there are as many local addresses, of one port each, as connections: so it
    does not matter which of them has which."""
    order = list(range(flows))
    random.Random(7).shuffle(order)
    inbound = [segment(0, client(i), vip_of(i), PSH_ACK, 100, 500, b"sluice") for i in order]
    outbound = [segment(1, (BACKEND, 80), (local(i), LOCAL_PORT), PSH_ACK, 500, 100, b"sluice")
                for i in order]
    write_pcap(folder / "client.pcap", [arp_reply(pcap_mac(0), GATEWAY), *inbound])
    write_pcap(folder / "server.pcap", [arp_reply(pcap_mac(1), BACKEND), *outbound])
    everyone = range(flows)
    setup = [segment(2, client(i), vip_of(i), SYN, 99, 0) for i in everyone]
    setup += [segment(2, (BACKEND, 80), (local(i), LOCAL_PORT), SYN_ACK, 499, 100)
              for i in everyone]
    setup += [segment(2, client(i), vip_of(i), ACK, 100, 500) for i in everyone]
    write_pcap(folder / "setup.pcap", setup)
