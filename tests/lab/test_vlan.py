# SPDX-License-Identifier: BSD-3-Clause
"""A tagged trunk with two services, and a third network in a VLAN within a VLAN; what is for others
is routed between them. The far ends are kernels behind a switch that tags their frames.

    clients   10.1.0.1   vlan 100  --+
    backends  10.2.0.10  vlan 200  --+== trunk ==  Sluice, one device, three interfaces
    stacked   10.4.0.10  30 in 300 --+
"""

import json
import tempfile
import time
from contextlib import ExitStack

import pytest

from lab_kit import toml
from lab_kit.checkout import ROOT
from lab_kit.namespace import Namespace, link
from lab_kit.process import stop_process, wait_until
from lab_kit.sluice import SluiceProcess

VIP = "10.3.0.1"
CLIENT, BACKEND, STACKED = "10.1.0.1", "10.2.0.10", "10.4.0.10"
NETWORKS = {CLIENT: "10.1.0.254", BACKEND: "10.2.0.254", STACKED: "10.4.0.254"}
DEVICE = "net_af_packet0,iface=trunk"


def configuration(socket):
    common = {"unmatched": "forward", "mtu": 1500}
    return "".join([
        toml.table("eal", main_lcore=0, worker_lcores=[1], memory_mb=256, hugepages=False),
        toml.table("control", socket=str(socket)),
        toml.interface("clients", DEVICE, "10.1.0.254/24", "fd00:1::fe/64", vlan=100, **common),
        toml.interface("backends", DEVICE, "10.2.0.254/24", "fd00:2::fe/64", vlan=200, **common),
        toml.interface("stacked", DEVICE, "10.4.0.254/24", vlan=30, outer_vlan=300, **common),
        toml.local_pool("default", ["10.2.0.1"], (1024, 65535)),
        toml.local_pool("other", ["10.4.0.1"], (1024, 65535)),
        toml.table("limits", flows_per_worker=4096),
        toml.service("web", f"{VIP}:80", "default", [f"{BACKEND}:80"]),
        toml.service("stacked", f"{VIP}:81", "other", [f"{STACKED}:80"])])


class Trunk:
    def __init__(self, stack):
        names = {name: stack.enter_context(_namespace(f"slvlan-{name}")) for name in
                 ("sluice", "switch", "client", "backend", "stacked", "nobody")}
        self.sluice, self.switch = names["sluice"], names["switch"]
        self.client, self.backend = names["client"], names["backend"]
        self.stacked, self.nobody = names["stacked"], names["nobody"]
        link(self.sluice, "trunk", self.switch, "far")
        for name in ("trunk", "far"):
            (self.sluice if name == "trunk" else self.switch).ip("link", "set", name, "mtu", "1508")
        self._port("p100", self.client, CLIENT, "fd00:1::1")
        self._port("p200", self.backend, BACKEND, "fd00:2::10")
        self._port("p30", self.stacked, STACKED)
        self._port("p77", self.nobody, "10.77.0.1")
        stack.callback(stop_process, self.switch.start(
            "/usr/bin/python3", ROOT / "tests/lab_kit/tagging_switch.py", "far", "p100=100/5",
            "p200=200", "p30=300.30", "p77=77"))
        for server in (self.backend, self.stacked):
            page = stack.enter_context(tempfile.TemporaryDirectory())
            with open(f"{page}/index.html", "w") as file:
                file.write(server.name)
            with open(f"{page}/large", "wb") as file:
                file.write(bytes(3_000_000))
            stack.callback(stop_process, server.start(
                "/usr/bin/python3", "-m", "http.server", "80", "-d", page, stderr=-3))
            wait_until(lambda server=server: ":80 " in server.run("ss", "-Hltn"), 10, "no server")
        work = stack.enter_context(tempfile.TemporaryDirectory())
        self.process = SluiceProcess(work, lambda *words: self.sluice.command(*words, core="0,1"))
        self.process.config.write_text(configuration(self.process.socket))
        self.process.launch()
        stack.callback(self.process.stop)

    def _port(self, name, namespace, *addresses):
        link(self.switch, name, namespace, "eth0")
        namespace.sysctl(**{"net.ipv6.conf.eth0.disable_ipv6": 0})
        for address in addresses:
            if ":" in address:
                namespace.ip("addr", "add", f"{address}/64", "dev", "eth0", "nodad")
                namespace.ip("-6", "route", "add", "default", "via",
                             address.rsplit("::")[0] + "::fe")
                continue
            namespace.ip("addr", "add", f"{address}/24", "dev", "eth0")
            if address in NETWORKS:
                namespace.ip("route", "add", "default", "via", NETWORKS[address])

    def get(self, url, *words):
        return self.client.run("curl", "-sS", "-m", "10", *words, url)


def _namespace(name):
    class Kept:
        def __enter__(self):
            self.namespace = Namespace(name)
            return self.namespace

        def __exit__(self, *_):
            self.namespace.delete()
    return Kept()


@pytest.fixture(scope="module")
def trunk():
    with ExitStack() as stack:
        yield Trunk(stack)


def test_two_services_on_one_trunk(trunk):
    for _ in range(20):
        assert trunk.get(f"http://{VIP}/") == trunk.backend.name
        assert trunk.get(f"http://{VIP}:81/") == trunk.stacked.name
    size = trunk.get(f"http://{VIP}/large", "-o", "/dev/null", "-w", "%{size_download}")
    assert size == "3000000"
    counters = trunk.process.counters()
    assert counters["ethertype_unknown"] == counters["frame_truncated"] == 0
    assert [row["name"] for row in trunk.process.show("interfaces")] == [
        "clients", "backends", "stacked"]
    assert {row["vlan"] for row in trunk.process.show("interfaces")} == {"100", "200", "300.30"}


def test_other_traffic_is_routed_between_them(trunk):
    before = trunk.process.counters()["packets_forwarded"]
    assert trunk.get(f"http://{BACKEND}/") == trunk.backend.name
    assert trunk.get(f"http://{STACKED}/") == trunk.stacked.name
    for words in (("-s", "100", BACKEND), ("-s", "4000", STACKED), ("fd00:2::10",),
                  ("-s", "4000", "fd00:2::10")):
        said = trunk.client.run("ping", "-c", "3", "-i", "0.2", "-W", "2", *words)
        assert " 3 received" in said, said
    assert trunk.process.counters()["packets_forwarded"] > before + 20
    hop = trunk.client.run("traceroute", "-n", "-m", "3", "-w", "2", BACKEND, check=False)
    assert "10.1.0.254" in hop or "not found" in hop or hop == ""
    said = trunk.client.run("ping", "-c", "1", "-W", "2", "192.0.2.9", check=False)
    assert "Net Unreachable" in said, said


def test_a_packet_keeps_its_priority(trunk):
    """What left the client with priority 5 comes to the backend with it."""
    capture = trunk.switch.start("timeout", "5", "tcpdump", "-c", "1", "-nnei", "far", "-Q", "in",
                                 "vlan", "200", "and", "icmp", stdout=-1, stderr=-3, text=True)
    time.sleep(1.5)
    trunk.client.run("ping", "-c", "2", "-i", "0.3", BACKEND)
    said = capture.communicate(timeout=10)[0]
    assert "vlan 200, p 5" in said, said


def test_a_vlan_of_nobody(trunk):
    trunk.nobody.run("ping", "-c", "1", "-W", "1", "10.77.0.2", check=False)
    assert trunk.process.counters()["vlan_unknown"] > 0
    findings = json.loads(trunk.process.ctl_run("status", "--json").stdout)["findings"]
    assert not [row for row in findings if row["severity"] == "critical"], findings
