# SPDX-License-Identifier: BSD-3-Clause
"""docs/placement.md where no other test stands so: one arm, and a bond (802.3ad) of DPDK's own
towards the clients. Two arms are the lab's, several are those of test_vlan.

    client -- switch == two links, LACP == Sluice -- backend
"""

import json
import socket
import subprocess
import tempfile
from contextlib import ExitStack

from lab_kit import toml
from lab_kit.checkout import ROOT
from lab_kit.namespace import Namespace, link
from lab_kit.process import stop_process, wait_until
from lab_kit.sluice import SluiceProcess

VIP, VIP_ON_LINK = "10.3.0.1", "10.1.0.100"
CLIENT, BACKEND = "10.1.0.5", "10.2.0.10"
NEIGHBOURS = ["10.1.0.10", "10.1.0.11"]
MEMBERS = ["bond-a", "bond-b"]
LACP_SECONDS = 20


class Place(ExitStack):
    """Namespaces by role, and what runs in them; all of it ends with the block."""

    def __enter__(self):
        super().__enter__()
        self.work = self.enter_context(tempfile.TemporaryDirectory())
        self.sluice, self.client = self.namespace("sluice"), self.namespace("client")
        return self

    def namespace(self, role):
        made = Namespace(f"slplace-{role}")
        self.callback(made.delete)
        return made

    def serve(self, namespace):
        """HTTP on port 80; the page is the server's name."""
        page = self.enter_context(tempfile.TemporaryDirectory())
        for name, content in (("index.html", namespace.name), ("large", "." * 30_000_000)):
            with open(f"{page}/{name}", "w") as file:
                file.write(content)
        self.callback(stop_process, namespace.start("/usr/bin/python3", "-m", "http.server", "80",
                                                    "-d", page, stderr=-3))
        wait_until(lambda: ":80 " in namespace.run("ss", "-Hltn"), 10, "no server")

    def start(self, *tables, **eal):
        process = SluiceProcess(self.work, lambda *words: self.sluice.command(*words, core="0,1"))
        process.config.write_text("".join([
            toml.table("eal", main_lcore=0, worker_lcores=[1], memory_mb=256, hugepages=False,
                       **eal),
            toml.table("control", socket=str(process.socket)),
            toml.table("limits", flows_per_worker=4096), toml.table("state", keep=False),
            *tables]))
        process.launch()
        self.callback(process.stop)
        return process

    def get(self, url, *words):
        return self.client.run("curl", "-sS", "-m", "10", *words, url)


def has(namespace, name, *addresses):
    for address in addresses:
        namespace.ip("addr", "add", f"{address}/24", "dev", name)


def test_one_arm():
    with Place() as place:
        switch = place.namespace("switch")
        switch.ip("link", "add", "bridge", "type", "bridge")
        switch.ip("link", "set", "bridge", "up")
        backends = [place.namespace(f"backend{i}") for i in range(len(NEIGHBOURS))]
        for name, namespace in (("sluice", place.sluice), ("client", place.client),
                                *((f"port{i}", backend) for i, backend in enumerate(backends))):
            link(switch, name, namespace, "eth0")
            switch.ip("link", "set", name, "master", "bridge")
        has(place.client, "eth0", CLIENT)
        place.client.ip("route", "add", VIP, "via", "10.1.0.254")
        for backend, address in zip(backends, NEIGHBOURS):
            has(backend, "eth0", address)
            place.serve(backend)
        own = [f"{address}:80" for address in NEIGHBOURS]
        process = place.start(
            toml.interface("lan", "net_af_packet0,iface=eth0", "10.1.0.254/24"),
            toml.local_pool("default", ["10.1.0.2"], (1024, 65535)),
            toml.service("routed", f"{VIP}:80", "default", own),
            toml.service("on-link", f"{VIP_ON_LINK}:80", "default", own))
        for vip in (VIP, VIP_ON_LINK):
            pages = {place.get(f"http://{vip}/") for _ in range(12)}
            assert pages == {backend.name for backend in backends}
            size = place.get(f"http://{vip}/large", "-o", "/dev/null", "-w", "%{size_download}")
            assert size == "30000000"
        counters = process.counters()
        assert counters["mac_not_ours"] == counters["tcp_checksum_bad"] == 0
        assert [row for row in json.loads(process.ctl("status", "--json"))["findings"]
                if "busy" not in row["what"]] == []


def switch_with_lacp(place):
    """Between the members, which Sluice has made, and the clients' link."""
    link(place.sluice, "access", place.client, "eth0")
    switch = place.sluice.start("/usr/bin/python3", ROOT / "tests/lab_kit/lacp_switch.py", "access",
                                *MEMBERS, stdin=subprocess.PIPE, text=True)
    place.callback(stop_process, switch)
    return switch


def test_a_bond_with_lacp_loses_a_member_and_no_connection():
    """While 200 connections wait and others come and go."""
    with Place() as place:
        backend = place.namespace("backend")
        link(place.sluice, "back", backend, "eth0")
        has(backend, "eth0", BACKEND)
        place.serve(backend)
        process = place.start(
            toml.interface("bond", "net_bonding0", "10.1.0.254/24",
                           members=[f"net_tap{i},iface={name}"
                                    for i, name in enumerate(MEMBERS)]),
            toml.interface("back", "net_af_packet2,iface=back", "10.2.0.254/24"),
            toml.local_pool("default", ["10.2.0.1"], (1024, 65535)),
            toml.service("web", f"{VIP}:80", "default", [f"{BACKEND}:80"]))
        switch = switch_with_lacp(place)
        has(place.client, "eth0", CLIENT)
        place.client.ip("route", "add", VIP, "via", "10.1.0.254")
        wait_until(lambda: " 1 received" in place.client.run(
            "ping", "-c", "1", "-W", "1", "10.1.0.254", check=False), LACP_SECONDS, "no LACP")
        with place.client.inside():
            waiting = [socket.create_connection((VIP, 80), 5) for _ in range(200)]
        assert place.get(f"http://{VIP}/") == backend.name
        place.sluice.ip("link", "set", MEMBERS[1], "down")
        switch.stdin.write(f"pull {MEMBERS[1]}\n")
        switch.stdin.flush()
        for connection in waiting:
            connection.settimeout(5)
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        for connection in waiting:
            with connection:
                assert connection.recv(4096).startswith(b"HTTP/1.0 200")
        assert place.get(f"http://{VIP}/") == backend.name
        assert process.counters()["port_absent"] == 0
