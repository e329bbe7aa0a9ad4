# SPDX-License-Identifier: BSD-3-Clause
"""Every reason for which Sluice drops a packet: its counter, and nothing but its counter, moves.

The reasons that need a conversation have their test elsewhere; ELSEWHERE says where, and a test
holds the three lists against the one in the source.
"""

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption_LSRR, IPOption_SSRR
from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.packet import Raw

import test_arp
import test_fragments
import test_heal
import test_icmp
import test_limits
import test_mtu
import test_nobody
import test_refusal
import test_reset
from balancer import drop_reasons
from lab_kit.addresses import BACKEND_SIDE, CLIENT_SIDE, VIP, Endpoint
from lab_kit.configuration import Configuration
from segment import Segment, assert_same_frame, but

CONFIG = Configuration(count=40)
HOST = "10.1.61.1"
CLIENT = Endpoint(HOST, 33333)
SERVICE = Configuration().services()[0].vip

ELSEWHERE = {
    "no_service": test_nobody.test_where_no_service_listens,
    "no_flow_inbound": test_nobody.test_of_a_client,
    "no_flow_outbound": test_nobody.test_of_a_backend,
    "no_flow_icmp": test_icmp.test_an_error_about_nobodys_connection,
    "icmp_out_of_window": test_icmp.test_a_stranger_who_guesses_a_sequence,
    "fragment_overlap": test_fragments.test_an_overlap_spoils_the_whole,
    "fragment_duplicate": test_fragments.test_a_fragment_that_comes_twice,
    "fragments_too_many": test_fragments.test_ten_fragments_are_too_many,
    "mtu_exceeded": test_mtu.test_with_df_the_client_is_told,
    "draining": test_refusal.test_draining,
    "source_denied": test_limits.test_a_denied_source_gets_no_answer,
    "source_not_allowed": test_limits.test_a_list_for_all_services,
    "service_full": test_limits.test_a_service_is_full,
    "service_rate": test_limits.test_a_service_takes_so_many_a_second,
    "client_full": test_limits.test_a_client_has_so_many,
    "client_rate": test_limits.test_a_client_opens_so_many_a_second,
    "backends_full": test_limits.test_full_backends_refuse_or_have_the_client_wait,
    "no_backend": test_refusal.test_no_backend,
    "ports_exhausted": test_refusal.test_no_port,
    "flow_table_full": test_refusal.test_no_flow_entry,
    "rst_out_of_window": test_reset.test_outside_the_window,
    "stale_answer": test_heal.test_a_stale_answer_never_reaches_the_client,
    "heal_exhausted": test_heal.test_attempts_are_bounded,
    "segment_unexpected": test_heal.test_an_ack_of_this_very_syn_is_no_stale_answer,
    "neighbour_queue_full": test_arp.test_too_many_packets_for_an_unknown_next_hop,
    "neighbour_unreachable": test_arp.test_a_silent_next_hop,
}
NOT_FROM_A_WIRE = {
    "neighbour_table_full": "the configuration has room for all that keep their entries",
    "neighbour_evicted": "needs a flood (tests/stage/neighbour_resolution_test)",
    "neighbour_asks_limited": "needs a flood (tests/stage/neighbour_resolution_test)",
    "icmp_echo_off": "needs icmp_echo = false (tests/stage/icmp_families_test)",
    "icmp_own_segment": "needs proxy_protocol (tests/stage/proxy_header_test)",
    "icmp_untranslatable": "needs both families (tests/stage/icmp_families_test)",
    "syn_deferred": "needs a flood (tests/stage/half_open_test)",
    "udp_deferred": "needs a flood (tests/stage/udp_flood_test)",
    "ipv6_source_misplaced": "needs IPv6 in the configuration (tests/stage, SourceFault)",
    "ipv6_hop_limit_expired": "needs IPv6 in the configuration (tests/stage/icmp_families_test)",
    "nd_bad": "needs IPv6 in the configuration (tests/stage, Discovery)",
    "ipv4_fragment": "needs limits.fragments_per_worker = 0 (tests/stage/fragment_input_test)",
    "ipv6_fragment": "the same, and IPv6",
    "fragment_timeout": "takes a second (tests/stage/fragment_input_test)",
    "fragment_evicted": "needs a flood (tests/stage/fragment_input_test)",
    "fragments_limited": "needs a flood (tests/stage/fragment_input_test)",
    "forward_no_route": "needs unmatched = forward (tests/stage/unmatched_test)",
    "vlan_unknown": "needs a vlan in the configuration (tests/lab/test_vlan.py)",
    "frame_segmented": "an af_packet port gives every frame in one buffer",
    "kernel_queue_full": "needs kernel = on the interface (tests/stage/exception_path_test)",
    "handoff_full": "needs two workers (tests/stage/handoff_test)",
    "port_absent": "its device has to go: tests/lab/test_devices.py",
    "tx_full": "an af_packet port waits for room in its ring",
    "mbuf_exhausted": "nobody outside can hold on to buffers",
}


def tcp(**fields):
    fields = dict(src=CLIENT, dst=SERVICE, flags="S", seq=1) | fields
    return Segment(**fields).packet()


def with_ip(**fields):
    return tcp(wrong={"ip": fields})


def with_tcp(flags="S", **fields):
    return tcp(flags=flags, wrong={"tcp": fields})


def arp(**fields):
    return ARP(**(dict(hwsrc="02:01:0a:01:3d:01", psrc=HOST, pdst=VIP) | fields))


def udp(**fields):
    return IP(src=HOST, dst=VIP) / UDP(**(dict(sport=33333, dport=53) | fields))


def icmp(**fields):
    return IP(src=HOST, dst=VIP) / ICMP(**fields)


CASES = {
    "frame_truncated": {
        "ethernet alone": Raw(b""),
        "half an IP header": Raw(bytes(tcp())[:19]),
        "less than the total length": Raw(bytes(tcp())[:39]),
        "half an ARP packet": Raw(bytes(arp())[:27]),
    },
    "ethertype_unknown": {
        "VLAN": Dot1Q(vlan=7, type=0x0800) / tcp(),
        "802.3": Raw(b"LLC and so on, long enough"),
    },
    "arp_bad": {
        "of another hardware": arp(hwtype=6),
        "about another protocol": arp(ptype=0x86dd),
        "with longer addresses": arp(hwlen=8),
        "from a multicast address": arp(hwsrc="01:00:5e:00:00:01"),
        "from our own address": arp(psrc=VIP),
        "from an address of another interface": arp(psrc="10.2.255.254"),
        "from a broadcast address": arp(psrc="10.1.255.255"),
        "from no station": arp(hwsrc="00:00:00:00:00:00"),
        "from our own station": arp(hwsrc="02:aa:00:00:00:01"),
    },
    "ipv4_header_bad": {
        "version 6": with_ip(version=6),
        "no length": with_ip(ihl=0),
        "length 16": with_ip(ihl=4),
        "total below the header": with_ip(len=19),
        "options beyond the total": with_ip(ihl=15, len=40),
    },
    "ipv4_checksum_bad": {
        "by one": with_ip(chksum=0x0001),
        "zero": with_ip(chksum=0),
    },
    "ipv4_source_bad": {
        source: tcp(src=Endpoint(source, 1024)) for source in
        ("0.0.0.0", "0.1.2.3", "127.0.0.1", "224.0.0.1", "255.255.255.255", VIP, "10.2.1.1",
         "10.1.255.254", "10.2.255.254")
    },
    "ipv4_source_routed": {
        "loose": with_ip(options=[IPOption_LSRR(routers=["10.0.0.1"])]),
        "strict": with_ip(options=[IPOption_SSRR(routers=["10.0.0.1", "10.0.0.2"])]),
    },
    "ipv4_source_broadcast": {
        source: tcp(src=Endpoint(source, 1024)) for source in
        ("10.1.255.255", "10.1.0.0", "10.2.255.255")
    },
    "ipv4_source_misplaced": {
        "a SYN": tcp(src=Endpoint("10.2.0.10", 1024)),
        "to a local address": tcp(src=Endpoint("10.2.0.10", 80), dst=Endpoint("10.2.1.1", 5000)),
        "a ping": IP(src="10.2.0.10", dst=VIP) / ICMP(),
    },
    "ipv4_ttl_expired": {
        "TTL one": tcp(ttl=1),
        "TTL zero": tcp(ttl=0),
    },
    "ipv4_not_for_us": {
        "TCP": tcp(dst=Endpoint("10.3.0.2", 80)),
        "TCP to a backend": tcp(dst=Endpoint("10.2.0.10", 80)),
        "a ping": IP(src=HOST, dst="10.3.0.2") / ICMP(),
        "broadcast": tcp(dst=Endpoint("255.255.255.255", 80)),
    },
    "ipv6_header_bad": {
        "version 5": IPv6(version=5, src="fd00:1::9", dst="fd00:1::1") / TCP(sport=9, dport=80),
    },
    "ipv6_source_bad": {
        source: IPv6(src=source, dst="fd00:1::1") / TCP(sport=9, dport=80) for source in
        ("::", "::1", "ff02::5", "::ffff:10.1.61.1")
    },
    "ipv6_extension_bad": {
        "a route with a segment left": IPv6(src="fd00:1::9", dst="fd00:1::1", nh=43)
        / Raw(b"\x06\0\0\x01" + bytes(4)) / TCP(sport=9, dport=80),
    },
    "ipv6_not_for_us": {
        "TCP over IPv6": IPv6(src="fd00:1::9", dst="fd00:1::1") / TCP(sport=9, dport=80),
        "a fragment": IPv6(src="fd00:1::9", dst="fd00:1::1") / IPv6ExtHdrFragment(m=1)
        / TCP(sport=9, dport=80) / Raw(bytes(4)),
    },
    "fragment_bad": {
        "no multiple of eight": IP(src=HOST, dst=VIP, proto=17, flags="MF") / Raw(bytes(20)),
        "no data": IP(src=HOST, dst=VIP, proto=17, frag=4),
        "beyond the longest packet": IP(src=HOST, dst=VIP, proto=17, frag=8191) / Raw(bytes(8)),
    },
    "fragment_tiny": {
        "TCP without its flags": IP(src=HOST, dst=VIP, proto=6, flags="MF") / Raw(bytes(8)),
        "TCP's flags alone": IP(src=HOST, dst=VIP, proto=6, frag=1) / Raw(bytes(12)),
    },
    "protocol_unknown": {
        "SCTP": IP(src=HOST, dst=VIP, proto=132) / Raw(bytes(20)),
        "GRE": IP(src=HOST, dst=VIP, proto=47) / Raw(bytes(20)),
    },
    "udp_header_bad": {
        "no room": IP(src=HOST, dst=VIP, proto=17) / Raw(bytes(7)),
        "length below the header": udp(len=7),
        "length beyond": udp(len=9),
        "source port 0": udp(sport=0),
        "destination port 0": udp(dport=0),
    },
    "udp_checksum_bad": {
        "by a bit": udp(chksum=0x1234),
    },
    "tcp_header_bad": {
        "no room": with_ip(len=39),
        "data offset 4": with_tcp(dataofs=4),
        "data offset beyond": with_tcp(dataofs=6),
        "source port 0": with_tcp(sport=0),
        "destination port 0": with_tcp(dport=0),
    },
    "tcp_flags_bad": {
        flags or "none": with_tcp(flags) for flags in
        ("", "SF", "SR", "FR", "SFRPAUEC", "P", "U", "EC", "FRA")
    },
    "tcp_checksum_bad": {
        flags: with_tcp(flags, chksum=0x1234) for flags in ("S", "A", "R", "FA", "SA")
    },
    "icmp_bad": {
        "checksum": icmp(chksum=0x1234),
        "short": IP(src=HOST, dst=VIP, proto=1) / Raw(b"\x08\x00\xf7\xff\0\0\0"),
        "an error that quotes nothing": icmp(type=3, code=1),
    },
    "icmp_unknown": {
        "echo reply": icmp(type=0),
        "redirect": icmp(type=5) / Raw(bytes(28)),
        "source quench": icmp(type=4) / Raw(bytes(28)),
        "timestamp": icmp(type=13) / Raw(bytes(12)),
        "router advertisement": icmp(type=9) / Raw(bytes(8)),
    },
    "no_route": {
        "a ping from nowhere": IP(src="192.0.2.55", dst=VIP) / ICMP(),
        "a segment from nowhere": tcp(src=Endpoint("192.0.2.55", 999), flags="A"),
    },
}
ETHER_TYPES = {"half an ARP packet": 0x0806, "802.3": 26}
ALSO = {
    "a segment from nowhere": {"no_flow_inbound": 1},  # its RST finds no way
    "TTL one": {"time_exceeded_sent": 1},
    "TTL zero": {"time_exceeded_sent": 1},
}


@pytest.mark.parametrize("reason, case", [(reason, case) for reason, cases in CASES.items()
                                          for case in cases])
def test_a_frame(wire, sluice, reason, case):
    layer = CASES[reason][case]
    ether = Ether(src="02:01:0a:01:3d:01", dst=wire.client.mac)
    if isinstance(layer, Raw):
        ether.type = ETHER_TYPES.get(case, 0x0800)
    with sluice.counts(**{reason: 1}, **ALSO.get(case, {})):
        wire.client.puts(ether / layer)
    if "time_exceeded_sent" in ALSO.get(case, {}):
        assert Ether(wire.next_frame(wire.client))[ICMP].type == 11


@pytest.mark.parametrize("station", ["02:00:00:00:00:99", "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01"])
def test_mac_not_ours(wire, sluice, station):
    """TCP to another station, or to everybody: a bridge that floods must not make two of it."""
    with sluice.counts(mac_not_ours=1):
        wire.client.puts(Ether(src="02:01:0a:01:3d:01", dst=station) / tcp())


def test_arp_to_another_station(wire, sluice):
    with sluice.counts(mac_not_ours=1):
        wire.client.puts(Ether(src="02:01:0a:01:3d:01", dst="02:00:00:00:00:99") / arp())


def test_ttl_of_a_flows_segments(wire, flow, sluice):
    with sluice.counts(ipv4_ttl_expired=2, time_exceeded_sent=2):
        sent = flow.client.sends("A", ttl=1), flow.backend.sends("A", ttl=1)
    for end, own, segment in zip((flow.client, flow.backend), (CLIENT_SIDE, BACKEND_SIDE), sent):
        answer = (IP(src=own, dst=segment.src.ip, tos=0xc0, flags="DF", id=0, ttl=64)
                  / ICMP(type=11, code=0) / Raw(bytes(segment.packet())))
        assert_same_frame(wire.next_frame(end.side), bytes(
            Ether(src=end.side.mac, dst=end.side.mac_of(segment.src.ip)) / answer))
    flow.chats()


@pytest.mark.parametrize("flags", ["FA", "R", "S"])
def test_a_wrong_checksum_changes_no_state(flow, sluice, service, flags):
    """A segment that would end the flow is only believed when it is whole."""
    with sluice.counts(tcp_checksum_bad=2):
        for end in (flow.client, flow.backend):
            segment = end.would_send(flags, options=b"", wrong={"tcp": {"chksum": 0xbad}})
            end.sends_again(segment if flags != "S" or end is flow.client
                            else but(segment, flags="FA"))
    flow.chats()
    assert sluice.pool_of(service)["in_use"] == 1


def test_a_wrong_checksum_stays_wrong(flow):
    """On data it is passed, and the other end sees that it is wrong: by how much, too."""
    for end, other in ((flow.client, flow.backend), (flow.backend, flow.client)):
        segment = end.would_send("PA", b"damaged")
        right = TCP(bytes(segment.packet())[20:]).chksum
        end.sends_again(but(segment, wrong={"tcp": {"chksum": right ^ 0x0100}}))
        frame = flow.client.wire.next_frame(other.side)
        checksum = TCP(frame[34:]).chksum
        whole = TCP(bytes(flow.translated(segment, other).packet())[20:]).chksum
        assert (checksum - whole) % 0xffff == ((right ^ 0x0100) - right) % 0xffff
    flow.chats()


def test_a_wrong_checksum_in_the_handshake(talk, sluice):
    with sluice.counts(tcp_checksum_bad=1):
        talk.client.sends_again(talk.client.would_send("S", wrong={"tcp": {"chksum": 1}}))
    talk.backend.gets(talk.client.sends("S"))
    with sluice.counts(tcp_checksum_bad=1):
        talk.backend.sends_again(talk.backend.would_send("SA", wrong={"tcp": {"chksum": 1}}))
    talk.is_answered().chats()


def test_a_segment_unexpected_of_the_client(wire, talk, sluice):
    """Before the backend has answered, there is nothing that a client could send but its SYN."""
    talk.backend.gets(talk.client.sends("S"))
    with sluice.counts(segment_unexpected=3):
        for flags in ("A", "PA", "SA"):
            talk.client.sends_again(talk.client.would_send(flags, ack=5))
        talk.backend.gets_nothing()
    talk.is_answered().chats()


def test_the_lists_are_complete():
    here = {*CASES, "mac_not_ours"}
    assert sorted([*here, *ELSEWHERE, *NOT_FROM_A_WIRE]) == sorted(drop_reasons())
