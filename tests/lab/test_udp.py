# SPDX-License-Identifier: BSD-3-Clause
"""UDP with real peers: DNS servers asked by dnsperf, one flow a query; iperf3, whose TCP and UDP
go to one port of the VIP.
"""

import re
from contextlib import ExitStack

import pytest

from lab_kit import toml
from lab_kit.addresses import BACKENDS, VIP
from lab_kit.middles import Sluice
from lab_kit.process import stop_process, wait_until
from lab_kit.topology import lab_with

DNS_PORT, IPERF_PORT, CLOSED_PORT = 53, 5201, 4243
ANSWER = "192.0.2.77"


def with_udp(text):
    """conf/lab.toml, and four services more."""
    dns = [f"{ip}:{DNS_PORT}" for ip in BACKENDS]
    iperf = [f"{BACKENDS[0]}:{IPERF_PORT}"]
    return text + "".join([
        toml.service("dns", f"{VIP}:{DNS_PORT}", "default", dns, protocol="udp",
                     udp_one_shot=True, udp_idle_seconds=10),
        toml.service("closed", f"{VIP}:{CLOSED_PORT}", "default", [f"{BACKENDS[0]}:{CLOSED_PORT}"],
                     protocol="udp"),
        toml.service("iperf", f"{VIP}:{IPERF_PORT}", "default", iperf),
        toml.service("iperf-udp", f"{VIP}:{IPERF_PORT}", "default", iperf, protocol="udp")])


@pytest.fixture(scope="module")
def lab():
    with ExitStack() as stack:
        lab = stack.enter_context(lab_with(Sluice(edit=with_udp)))
        for backend in lab.backends:
            server = backend.start("dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--no-hosts",
                                   "--no-resolv", "--user=root", "--pid-file=", "--bind-interfaces",
                                   f"--listen-address={backend.address}", "--cache-size=0",
                                   f"--address=/lab/{ANSWER}")
            stack.callback(stop_process, server)
        server = lab.backends[0].start("iperf3", "--server")
        stack.callback(stop_process, server)
        wait_until(lambda: all(f":{DNS_PORT} " in b.run("ss", "-Hlun") for b in lab.backends), 10,
                   "dnsmasq does not listen")
        wait_until(lambda: f":{IPERF_PORT} " in lab.backends[0].run("ss", "-Hltn"), 10,
                   "iperf3 does not listen")
        yield lab


def service_row(lab, name):
    (row,) = [row for row in lab.middle.show("services") if row["name"] == name]
    return row


def test_each_query_is_a_flow_and_gets_its_answer(lab):
    names = lab.work / "names"
    names.write_text("".join(f"n{i}.lab A\n" for i in range(1000)))
    before = {row["address"]: row["connections"] for row in lab.middle.show("backends")}
    text = lab.client.run("dnsperf", "-s", VIP, "-a", "10.1.1.1", "-d", names, "-l", "4", "-c",
                          "20", "-Q", "2000", "-t", "2")
    completed = int(re.search(r"Queries completed: +(\d+)", text)[1])
    lost = int(re.search(r"Queries lost: +(\d+)", text)[1])
    assert lost == 0 and completed >= 4000
    assert f"NOERROR {completed} " in text
    rows = {row["address"]: row["connections"] - before[row["address"]]
            for row in lab.middle.show("backends") if row["address"].endswith(f":{DNS_PORT}")}
    first, second = rows.values()
    assert sum(rows.values()) > 1000 and abs(first - second) <= 1
    wait_until(lambda: not lab.middle.show("flows"), 5, "flows are left of queries with answers")
    assert service_row(lab, "dns")["refused"] == 0


@pytest.mark.parametrize("direction", [(), ("--reverse",)], ids=["up", "down"])
def test_iperf_udp_and_its_tcp_on_one_port(lab, direction):
    text = lab.client.run("iperf3", "--client", VIP, "--bind", "10.1.1.1", "--udp", "--bitrate",
                          "20M", "--length", "1200", "--time", "2", "--json", *direction)
    lost, packets = (int(re.findall(rf'"{key}":\s*(\d+)', text)[-1])
                     for key in ("lost_packets", "packets"))
    assert packets > 2000 and lost <= packets // 10  # a busy machine loses some
    assert service_row(lab, "iperf-udp")["connections"] > 0


@pytest.mark.parametrize("port", [CLOSED_PORT, CLOSED_PORT + 1], ids=["backend", "service"])
def test_nobody_listens(lab, port):
    """The backend's own ICMP, or Sluice's, reaches the client's socket."""
    said = lab.client.run("python3", "-c", f"""
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.1.1.9", 0))
s.connect(("{VIP}", {port}))
s.settimeout(5)
s.send(b"x")
try:
    s.recv(9)
except ConnectionRefusedError:
    print("refused")
""")
    assert said.strip() == "refused"
    rows = lab.middle.show("flows")
    assert not [row for row in rows if row["vip"] == f"{VIP}:{port}"]
