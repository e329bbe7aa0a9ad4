# SPDX-License-Identifier: BSD-3-Clause
"""tracepath through Sluice, of clients and backends of either family: what a user would run, with
real routers before and behind Sluice and small links on either side.

    plain ------- client ------- Sluice ------- backend0 ------- far
      10.1.254.2    a router       VIP    1400    a router  1320   10.4.0.10
      fd00:1:254::2                                                fd00:4::10

tracepath asks another UDP port with each probe, so each port has a service.
"""

import re
from contextlib import ExitStack

import pytest

from lab_kit import toml
from lab_kit.addresses import VIP
from lab_kit.middles import Sluice
from lab_kit.namespace import Namespace, link
from lab_kit.process import wait_until
from lab_kit.topology import lab_with

VIP6 = "fd00:3::1"
FAR, FAR6 = "10.4.0.10", "fd00:4::10"
SLUICE, SLUICE6 = "10.1.255.254", "fd00:1::fe"
ROUTER, ROUTER6 = "10.1.254.1", "fd00:1:254::1"
BACKENDS_MTU, FAR_MTU = 1400, 1320
PORTS = 64  # that tracepath asks in turn
FIRST = {"44": 41000, "46": 42000, "64": 43000, "66": 44000}  # of clients and backends


def with_far(text):
    """conf/lab.toml with both families, and a service for each port that tracepath asks."""
    text = text.replace('addresses = ["10.1.255.254/16"]',
                        f'addresses = ["10.1.255.254/16", "{SLUICE6}/64"]')
    text = text.replace('addresses = ["10.2.255.254/16"]',
                        'addresses = ["10.2.255.254/16", "fd00:2::fe/64"]')
    routes = {"10.1.254.0/30": "10.1.255.1", "fd00:1:254::/64": "fd00:1::1",
              "10.4.0.0/24": "10.2.0.10", "fd00:4::/64": "fd00:2::10"}
    parts = [text, *(toml.entry("route", to=to, via=via) for to, via in routes.items()),
             toml.local_pool("six", ["fd00:2::1:1"], (1024, 65535))]
    for families, first in FIRST.items():
        vip = f"[{VIP6}]" if families[0] == "6" else VIP
        far, pool = (f"[{FAR6}]", "six") if families[1] == "6" else (FAR, "default")
        parts += [toml.service(f"{families}-{port}", f"{vip}:{port}", pool, [f"{far}:{port}"],
                               protocol="udp") for port in range(first, first + PORTS)]
    return "".join(parts)


def give(namespace, device, *addresses):
    for address in addresses:
        options = ["nodad"] if ":" in address else []
        namespace.ip("addr", "add", address, "dev", device, *options)


def make_path(lab, far):
    """Addresses and routers of both families. The far link is small."""
    router = lab.backends[0]
    for namespace in (lab.plain, lab.client, router, far):
        namespace.sysctl(**{"net.ipv6.conf.all.disable_ipv6": 0, "net.ipv4.ip_forward": 1,
                            "net.ipv6.conf.default.disable_ipv6": 0,
                            "net.ipv6.conf.all.forwarding": 1, "net.ipv4.icmp_ratelimit": 0,
                            "net.ipv6.icmp.ratelimit": 0, "net.ipv4.icmp_msgs_per_sec": 100000})
    link(router, "far", far, "eth0")
    for namespace, device in ((router, "far"), (far, "eth0")):
        namespace.ip("link", "set", device, "mtu", str(FAR_MTU))
    give(lab.plain, "eth0", "fd00:1:254::2/64")
    give(lab.client, "plain", f"{ROUTER6}/64")
    give(lab.client, "eth0", "fd00:1::1/64")
    give(router, "eth0", "fd00:2::10/64")
    give(router, "far", "10.4.0.1/24", "fd00:4::1/64")
    give(far, "eth0", f"{FAR}/24", f"{FAR6}/64")
    lab.plain.ip("-6", "route", "add", "default", "via", ROUTER6)
    lab.client.ip("-6", "route", "add", "fd00:3::/64", "via", SLUICE6)
    far.ip("route", "add", "default", "via", "10.4.0.1")
    far.ip("-6", "route", "add", "default", "via", "fd00:4::1")


@pytest.fixture(scope="module")
def lab():
    with ExitStack() as stack:
        lab = stack.enter_context(lab_with(Sluice(edit=with_far)))
        far = Namespace(f"{lab.prefix}-far")
        stack.callback(far.delete)
        make_path(lab, far)
        lab.balancer.ip("link", "set", "lb-backend", "mtu", str(BACKENDS_MTU))
        wait_until(lambda: f"MTU {BACKENDS_MTU}, it was" in lab.middle.log(), 10,
                   "the MTU is not heeded")
        yield lab


def trace(lab, address, port):
    """What tracepath prints: (hop, address, what it says of it) of each line, and its last one."""
    for family in ("-4", "-6"):  # what an earlier trace has found
        lab.plain.ip(family, "route", "flush", "cache")
    text = lab.plain.run("tracepath", "-n", "-m", "12", "-p", port, address)
    lines = re.findall(r"^ *(\d+)\??: +(\S+)(.*)$", text, re.MULTILINE)
    return [(int(hop), who, says) for hop, who, says in lines], text


@pytest.mark.parametrize("families", FIRST)
def test_tracepath_finds_the_way_and_its_mtu(lab, families):
    v6, vip = families[0] == "6", VIP6 if families[0] == "6" else VIP
    grows = (20 if v6 else 0) - (20 if families[1] == "6" else 0)
    lines, text = trace(lab, vip, FIRST[families])
    assert (1, ROUTER6 if v6 else ROUTER) in [line[:2] for line in lines], text
    assert (2, SLUICE6 if v6 else SLUICE) in [line[:2] for line in lines], text
    assert {who for hop, who, _ in lines if hop in (3, 4) and who != "no"} == {vip}, text
    mtus = [int(mtu) for mtu in re.findall(r"pmtu (\d+)$", text, re.MULTILINE)]
    assert mtus == [1500, BACKENDS_MTU + grows, FAR_MTU + grows], text
    assert f"Resume: pmtu {FAR_MTU + grows} hops 4" in text
    assert "reached" in text


@pytest.mark.parametrize("vip", [VIP, VIP6])
def test_a_small_link_on_the_clients_side(lab, vip):
    """A router in front of Sluice says so; the path ends at the VIP, where nobody listens."""
    for namespace, device in ((lab.client, "eth0"), (lab.balancer, "lb-client")):
        namespace.ip("link", "set", device, "mtu", "1360")
    _, text = trace(lab, vip, 50000)
    assert "Resume: pmtu 1360 hops" in text and "reached" in text, text


@pytest.mark.parametrize("address", [VIP, VIP6, SLUICE, SLUICE6])
def test_ping(lab, address):
    text = lab.plain.run("ping", "-n", "-c", "3", "-i", "0.2", address)
    assert " 0% packet loss" in text
