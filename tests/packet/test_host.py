# SPDX-License-Identifier: BSD-3-Clause
"""A host whose kernel is a router as well: it forwards all but what is Sluice's."""

import json
import re

import pytest
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.l2 import Ether

from conversation import Talk
from lab_kit.addresses import VIP
from lab_kit.checkout import program
from lab_kit.configuration import Configuration
from lab_kit.sluice import run_sluice

CONFIG = Configuration(count=8)
HOST = "10.1.210.1"  # the host's own address on the clients' link
FAR = "10.9.0.1"  # somewhere behind the backends' link


NEW = [("address", f"{HOST}/32", "dev", "lb-client"), ("route", "10.1.0.0/16", "dev", "lb-client"),
       *(("route", network, "dev", "lb-backend") for network in (f"{VIP}/32", "10.2.1.0/24",
                                                                 f"{FAR}/32"))]


@pytest.fixture(scope="module", autouse=True)
def router(links, sluice):
    """The namespace's kernel knows ways to everything and forwards."""
    namespace = links.namespace
    namespace.sysctl(**{"net.ipv4.ip_forward": 1, "net.ipv4.conf.all.rp_filter": 0,
                        "net.ipv4.conf.lb-client.rp_filter": 0,
                        "net.ipv4.conf.lb-backend.rp_filter": 0})
    for kind, *words in NEW:
        namespace.ip(kind, "add", *words)
    for ip in (VIP, FAR):
        namespace.ip("neigh", "add", ip, "lladdr", links.backend.mac_of(ip), "dev", "lb-backend")
    try:
        yield
    finally:
        namespace.sysctl(**{"net.ipv4.ip_forward": 0})
        for kind, *words in reversed(NEW):
            namespace.ip(kind, "del", *words)
        namespace.run("ip", "neigh", "flush", "dev", "lb-backend", check=False)


def puts(side, packet):
    side.puts(Ether(src=side.mac_of(packet.src), dst=side.mac) / packet)


def tables(links):
    return re.findall(r"table netdev (\S+)", links.namespace.run("nft", "list", "tables"))


def test_no_packet_of_a_connection_is_forwarded_as_well(wire, service):
    """Whatever the kernel sent besides would be a frame that nobody expects, at the test's end."""
    flow = Talk(wire, service).opens()
    flow.chats()
    flow.client_closes_first()
    puts(wire.client, IP(src="10.1.50.1", dst=VIP) / UDP(sport=1, dport=1))
    answer = Ether(wire.next_frame(wire.client))
    assert (answer[IP].src, answer[ICMP].type, answer[ICMP].code) == (VIP, 3, 3)


def test_the_rest_of_the_hosts_traffic_is_its_own(wire, sluice):
    puts(wire.client, IP(src="10.1.50.1", dst=HOST) / ICMP(id=1, seq=2))
    answer = Ether(wire.next_frame(wire.client))
    assert answer[IP].src == HOST and answer[ICMP].type == 0
    puts(wire.client, IP(src="10.1.50.1", dst=FAR, ttl=9) / UDP(sport=1, dport=1))
    forwarded = Ether(wire.next_frame(wire.backend))
    assert (forwarded[IP].dst, forwarded[IP].ttl) == (FAR, 8)


def test_what_a_killed_one_left_is_gone(wire, sluice, links):
    (before,) = tables(links)
    sluice.kill()
    assert tables(links) == []
    sluice.restart()
    (after,) = tables(links)
    assert after != before


def test_doctor_looks_from_inside(wire, sluice):
    """Asked from another network namespace, where there are no such interfaces."""
    findings = json.loads(sluice.ctl_run("doctor", "--json").stdout)["findings"]
    forwarding = [row for row in findings if row["area"] == "forwarding"]
    assert [row["severity"] for row in forwarding] == ["ok", "ok"]
    assert not [row for row in findings if "there is no interface" in row["what"]]


def test_doctor_finds_it_before_the_start(wire, sluice, links, tmp_path):
    file = tmp_path / "sluice.toml"
    file.write_text(CONFIG.toml(tmp_path / "nobody.sock"))
    said = links.namespace.run(program("sluicectl"), "--socket", tmp_path / "nobody.sock", "doctor",
                               "--json", "--config", file, check=False)
    rows = [row for row in json.loads(said)["findings"] if row["area"] == "forwarding"]
    assert [row["severity"] for row in rows] == ["warning", "warning"]
    assert "net.ipv4.conf.lb-client.forwarding=0" in rows[0]["remedy"]


def test_where_that_cannot_be_it_does_not_start(wire, sluice, links, tmp_path):
    """nftables has no way to write the name of this interface."""
    file = tmp_path / "sluice.toml"
    file.write_text(CONFIG.toml(tmp_path / "sluice.sock").replace("iface=lb-client",
                                                                  r'iface=od\"d'))
    links.namespace.ip("link", "add", 'od"d', "up", "type", "veth", "peer", "name", "even")
    try:
        done = run_sluice("--config", file, command=links.command)
    finally:
        links.namespace.ip("link", "del", 'od"d')
    assert done.returncode == 1, done.stdout
    assert 'sysctl -w net.ipv4.conf.od"d.forwarding=0' in done.stdout
