# SPDX-License-Identifier: BSD-3-Clause
"""UDP with real peers over IPv6 and across families: DNS asked by dnsperf, and iperf3, whose TCP
and UDP go to one port of the VIP.
"""

import re
from contextlib import ExitStack

import pytest

from lab_kit.addresses import BACKENDS
from lab_kit.ipv6 import BACKENDS6, FAMILIES, give_ipv6, service, vip, with_ipv6
from lab_kit.middles import Sluice
from lab_kit.process import stop_process, wait_until
from lab_kit.topology import lab_with

DNS_PORT = {"66": 53, "64": 5364, "46": 5346}
IPERF_PORT = {"66": 5201, "64": 5264, "46": 5246}
ANSWER = "192.0.2.77"
MOST = [f if f == "64" else pytest.param(f, marks=pytest.mark.nightly) for f in FAMILIES]


def with_udp(text):
    services = []
    for f in FAMILIES:
        services += [service(f, "dns", DNS_PORT[f], 53, protocol="udp", udp_one_shot=True,
                             udp_idle_seconds=10),
                     service(f, "iperf", IPERF_PORT[f], 5201, 1),
                     service(f, "iperf-udp", IPERF_PORT[f], 5201, 1, protocol="udp")]
    return with_ipv6(text, (1024, 9999), services)


@pytest.fixture(scope="module")
def lab():
    with ExitStack() as stack:
        lab = stack.enter_context(lab_with(Sluice(edit=with_udp)))
        give_ipv6(lab)
        for backend, ip4, ip6 in zip(lab.backends, BACKENDS, BACKENDS6):
            for words in (["dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--no-hosts",
                           "--no-resolv", "--user=root", "--pid-file=", "--bind-interfaces",
                           f"--listen-address={ip4},{ip6}", "--cache-size=0",
                           f"--address=/lab/{ANSWER}"], ["iperf3", "--server"]):
                stack.callback(stop_process, backend.start(*words))
            wait_until(lambda: backend.run("ss", "-Hlun").count(":53 ") >= 2, 10,
                       "dnsmasq does not listen")
            wait_until(lambda: ":5201 " in backend.run("ss", "-Hltn"), 10, "no iperf3")
        yield lab


def service_row(lab, name):
    (row,) = [row for row in lab.middle.show("services") if row["name"] == name]
    return row


@pytest.mark.parametrize("families", FAMILIES)
def test_each_query_gets_its_answer(lab, families):
    names = lab.work / "names"
    names.write_text("".join(f"n{i}.lab A\n" for i in range(1000)))
    text = lab.client.run("dnsperf", "-s", vip(families), "-p", DNS_PORT[families], "-d", names,
                          "-l", "3", "-c", "20", "-Q", "1000", "-t", "2")
    completed = int(re.search(r"Queries completed: +(\d+)", text)[1])
    assert int(re.search(r"Queries lost: +(\d+)", text)[1]) == 0 and completed >= 2000, text
    assert f"NOERROR {completed} " in text
    wait_until(lambda: not lab.middle.show("flows"), 5, "flows are left of queries with answers")
    row = service_row(lab, f"dns{families}")
    # Of 20 sockets; a query that follows before the answer to the last has the last one's flow.
    assert row["refused"] == 0 and row["connections"] > completed // 2


@pytest.mark.parametrize("direction", [(), ("--reverse",)], ids=["up", "down"])
@pytest.mark.parametrize("families", MOST)
def test_iperf_udp_and_its_tcp_on_one_port(lab, families, direction):
    text = lab.client.run("iperf3", "--client", vip(families), "--port", IPERF_PORT[families],
                          "--udp", "--bitrate", "20M", "--length", "1200", "--time", "2", "--json",
                          *direction)
    lost, packets = (int(re.findall(rf'"{key}":\s*(\d+)', text)[-1])
                     for key in ("lost_packets", "packets"))
    assert packets > 2000 and lost <= packets // 10  # a busy machine loses some
    assert service_row(lab, f"iperf-udp{families}")["connections"] > 0


@pytest.mark.parametrize("direction", [(), ("--reverse",)], ids=["up", "down"])
@pytest.mark.parametrize("families", MOST)
def test_iperf_tcp(lab, families, direction):
    text = lab.client.run("iperf3", "--client", vip(families), "--port", IPERF_PORT[families],
                          "--time", "2", "--json", *direction)
    received = int(re.findall(r'"bytes":\s*(\d+)', text)[-1])
    assert received > 1_000_000, text
