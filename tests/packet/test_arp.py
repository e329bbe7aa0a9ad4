# SPDX-License-Identifier: BSD-3-Clause
"""ARP: what Sluice answers, what it asks, and what becomes of packets meanwhile."""

import time

import pytest
from scapy.layers.l2 import ARP, Ether

from conversation import Talk
from lab_kit.addresses import VIP
from lab_kit.configuration import GATEWAY, Configuration
from segment import assert_same_frame
from wire import BROADCAST

CONFIG = Configuration(count=40)
INTERFACES = {"client": "10.1.255.254", "backend": "10.2.255.254"}
TRIES = 4
WAITING = 32  # packets that a next hop may hold up that no established flow has used
FAILOVER_SECONDS = 1
SILENT_SECONDS = 3


def request(side, ip, source):
    """Asks as a host does, and gives the expected answer."""
    mac = side.mac_of(source)
    return Ether(src=side.mac, dst=mac) / ARP(op=2, hwsrc=side.mac, psrc=ip, hwdst=mac, pdst=source)


def answers_to(wire, side, ip, source, **fields):
    side.arps.clear()
    side.asks(ip, source, **fields)
    wire.settle()
    return [bytes(frame) for frame in side.arps if frame[ARP].op == 2]


@pytest.mark.parametrize("name", ["client", "backend"])
@pytest.mark.parametrize("whose", ["vip", "local", "interface"])
def test_own_addresses_are_answered_for(wire, sluice, name, whose):
    side = getattr(wire, name)
    ip = {"vip": VIP, "local": "10.2.1.1", "interface": INTERFACES[name]}[whose]
    source = "10.1.40.1" if name == "client" else "10.2.40.1"
    with sluice.counts(arp_requests_answered=1):
        (answer,) = answers_to(wire, side, ip, source)
    assert_same_frame(answer, bytes(request(side, ip, source)))


@pytest.mark.parametrize("name, ip", [
    ("client", "10.1.40.2"), ("client", "10.3.0.2"), ("client", "10.2.0.10"),
    ("client", INTERFACES["backend"]), ("backend", INTERFACES["client"]), ("client", "0.0.0.0")])
def test_others_are_met_with_silence(wire, name, ip):
    side = getattr(wire, name)
    assert answers_to(wire, side, ip, "10.1.40.1" if name == "client" else "10.2.40.1") == []


def test_a_unicast_request_is_answered(wire):
    side = wire.client
    assert len(answers_to(wire, side, VIP, "10.1.40.3", to=side.mac)) == 1


def test_a_padded_request_is_answered(wire):
    """Ethernet cards pad to 60 bytes; the padding may come back."""
    side = wire.client
    mac = side.mac_of("10.1.40.4")
    side.arps.clear()
    side.puts(bytes(Ether(src=mac, dst=BROADCAST)
                    / ARP(hwsrc=mac, psrc="10.1.40.4", pdst=VIP)) + bytes(18))
    wire.settle()
    (answer,) = [frame for frame in side.arps if frame[ARP].op == 2]
    assert bytes(answer)[:42] == bytes(request(side, VIP, "10.1.40.4"))


def test_a_probe_for_a_duplicate_is_answered(wire):
    """RFC 5227: a host that is about to use our address asks from 0.0.0.0."""
    side = wire.client
    assert len(answers_to(wire, side, VIP, "10.1.40.5", psrc="0.0.0.0")) == 1


def test_addresses_are_announced_at_the_start(wire, sluice):
    """Gratuitous ARP, so that neighbours drop what they remember of a predecessor."""
    sluice.restart()
    told = {name: [frame for frame in getattr(wire, name).arps
                   if frame[ARP].psrc == frame[ARP].pdst] for name in ("client", "backend")}
    locals_ = [s.local for s in sluice.configuration.services()]
    assert {f[ARP].psrc for f in told["client"]} == {INTERFACES["client"]}
    assert {f[ARP].psrc for f in told["backend"]} == {INTERFACES["backend"], *locals_}
    for name, frames in told.items():
        mac = getattr(wire, name).mac
        for frame in frames:
            ip = frame[ARP].psrc
            assert_same_frame(bytes(frame), bytes(
                Ether(src=mac, dst=BROADCAST)
                / ARP(op=1, hwsrc=mac, psrc=ip, hwdst="00:00:00:00:00:00", pdst=ip)))


def test_a_next_hop_is_asked_for_once(wire, service):
    """And the request is right in every byte; the packets that waited follow in their order."""
    host = "10.1.41.1"
    wire.client.silent.add(host)
    wire.client.arps.clear()
    talk = Talk(wire, service, host)
    talk.backend.gets(talk.client.sends("S"))
    answer = talk.backend.sends("SA")
    waiting = [answer] + [talk.backend.sends("SA", seq=answer.seq, window=i) for i in range(5)]
    talk.client.gets_nothing()
    (asked,) = [frame for frame in wire.client.arps if frame[ARP].pdst == host]
    assert_same_frame(bytes(asked), bytes(
        Ether(src=wire.client.mac, dst=BROADCAST)
        / ARP(op=1, hwsrc=wire.client.mac, psrc=INTERFACES["client"], hwdst="00:00:00:00:00:00",
              pdst=host)))
    answers_arp(wire.client, host)
    talk.client.gets_all(*waiting)


def answers_arp(side, host):
    side.silent.discard(host)
    side.asks(side.own_ip, host, "is-at", hwdst=side.mac, to=side.mac)


def test_whoever_asks_for_us_is_known_from_then_on(wire, service):
    host = "10.1.42.1"
    wire.client.asks(VIP, host)
    wire.client.silent.add(host)
    wire.settle()
    Talk(wire, service, host).opens()


def test_strangers_are_not_remembered(wire, service):
    """An ARP request that is not about us makes no entry (RFC 826)."""
    host = "10.1.42.2"
    wire.client.silent.add(host)
    wire.client.asks("10.1.42.3", host)
    talk = Talk(wire, service, host)
    talk.backend.gets(talk.client.sends("S"))
    answer = talk.backend.sends("SA")
    talk.client.gets_nothing()
    answers_arp(wire.client, host)
    talk.client.gets(answer)


def test_a_host_gets_a_new_mac(wire, service, sluice):
    """A failed-over neighbour tells it by an announcement, or by asking. It is believed when the
    old one does not answer."""
    talk = Talk(wire, service, "10.1.43.1").opens()
    for number, tell in enumerate((
            lambda: wire.client.asks("10.1.43.1", "10.1.43.1"),
            lambda: wire.client.asks(VIP, "10.1.43.1"),
            lambda: wire.client.asks(wire.client.own_ip, "10.1.43.1", "is-at",
                                     hwdst=wire.client.mac, to=wire.client.mac))):
        moved = sluice.counters()["neighbours_moved"]
        wire.client.macs["10.1.43.1"] = f"02:99:00:00:00:0{number}"
        began = time.monotonic()
        tell()
        wire.wait_until(lambda: sluice.counters()["neighbours_moved"] > moved, "not believed")
        assert time.monotonic() - began < FAILOVER_SECONDS
        talk.client.gets(talk.backend.sends("A", b"to the new one"))


def test_a_forged_announcement_costs_nothing(wire, service, sluice):
    """While the one that is known answers, nobody else is believed; and the log says who it was."""
    host = "10.1.43.2"
    talk = Talk(wire, service, host).opens().chats()
    moved = sluice.counters()["neighbours_moved"]
    with sluice.counts(arp_conflicts=3):
        for tell in (
                lambda: wire.client.asks(host, host, hwsrc="02:66:00:00:00:01"),
                lambda: wire.client.asks(VIP, host, hwsrc="02:66:00:00:00:01"),
                lambda: wire.client.asks(wire.client.own_ip, host, "is-at", to=wire.client.mac,
                                         hwsrc="02:66:00:00:00:01", hwdst=wire.client.mac)):
            tell()
            talk.chats()
            time.sleep(0.15)  # not two of them in one look
            wire.settle()
            talk.chats()
    assert sluice.counters()["neighbours_moved"] == moved
    wire.wait_until(lambda: f"02:66:00:00:00:01 says that it has {host}" in sluice.log(),
                    "the log does not name it")


def test_an_address_of_ours_elsewhere_is_named(wire, sluice):
    with sluice.counts(address_conflicts=1, arp_bad=1):
        wire.client.asks(VIP, VIP, hwsrc="02:66:00:00:00:02")
    wire.wait_until(lambda: f"02:66:00:00:00:02 says that it has {VIP}, which is ours"
                    in sluice.log(), "the log does not name it")


def test_a_mac_that_changes_without_a_word_is_found(wire, service, sluice):
    """A backend with a new network card that announces nothing: its open connections go on."""
    talk = Talk(wire, service, "10.1.43.3").opens().chats()
    backend = talk.backend.address.ip
    wire.backend.macs[backend] = "02:77:00:00:00:01"
    wire.hears_only(talk)
    began = time.monotonic()
    moved = sluice.counters()["neighbours_moved"]

    def goes_on():
        talk.client.sends_again(talk.client.would_send("A"))
        return sluice.counters()["neighbours_moved"] > moved
    wire.wait_until(goes_on, "it was not found")
    assert time.monotonic() - began < SILENT_SECONDS
    wire.settle()
    wire.backend.inbox.clear()
    talk.chats()


def test_clients_behind_a_gateway(wire, service):
    """The gateway is resolved, not the client."""
    wire.client.arps.clear()
    talk = Talk(wire, service, "198.51.100.7")
    talk.client.hop = GATEWAY
    talk.opens().chats()
    asked = {frame[ARP].pdst for frame in wire.client.arps if frame[ARP].op == 1}
    assert asked <= {GATEWAY}


def test_a_silent_next_hop(wire, service, sluice):
    """Asked TRIES times; then what waited is dropped, what comes is dropped, and later it is asked
    anew."""
    host = "10.1.44.1"
    wire.client.silent.add(host)
    wire.client.arps.clear()
    talk = Talk(wire, service, host)
    talk.backend.gets(talk.client.sends("S"))
    given_up = sluice.counters()["neighbour_unreachable"]
    with sluice.counts(neighbour_unreachable=3):
        answer = talk.backend.sends("SA")
        talk.backend.sends_again(answer)
        wire.wait_until(lambda: sluice.counters()["neighbour_unreachable"] == given_up + 2,
                        "the waiting packets were not given up")
        wire.wait_until(lambda: asked_for(wire.client, host) >= TRIES, "too few requests came")
        assert asked_for(wire.client, host) == TRIES
        talk.backend.sends_again(answer)
        talk.client.gets_nothing()
    wire.client.silent.clear()
    before = asked_for(wire.client, host)

    def tries_again():
        talk.backend.sends_again(answer)
        return asked_for(wire.client, host) > before
    wire.wait_until(tries_again, "the next hop was not asked for again")
    talk.client.gets(answer)
    wire.settle()
    wire.client.inbox.clear()  # however many it took
    talk.backend.gets(talk.client.sends("A"))


def asked_for(side, host):
    return sum(frame[ARP].op == 1 and frame[ARP].pdst == host for frame in side.arps)


def test_too_many_packets_for_an_unknown_next_hop(wire, service, sluice):
    host = "10.1.45.1"
    wire.client.silent.add(host)
    talk = Talk(wire, service, host)
    talk.backend.gets(talk.client.sends("S"))
    waiting = [talk.backend.would_send("SA", window=i) for i in range(WAITING + 2)]
    mac = wire.backend.mac_of(talk.backend.address.ip)
    frames = [segment.frame(mac, wire.backend.mac) for segment in waiting]
    with sluice.counts(neighbour_queue_full=2):
        for frame in frames:  # at once: the next hop is given up after two seconds
            wire.backend.puts(frame)
        talk.client.gets_nothing()
        answers_arp(wire.client, host)
    talk.client.gets_all(*waiting[:WAITING])
