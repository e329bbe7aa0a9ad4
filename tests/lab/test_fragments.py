# SPDX-License-Identifier: BSD-3-Clause
"""Datagrams larger than the MTU between real kernels, with two workers on packet sockets: what no
cheaper test can show is that the kernel leaves fragments as they are (PACKET_FANOUT without
DEFRAG), and that its own reassembly is content with ours.
"""

import json
import re
from contextlib import ExitStack

import pytest

from lab_kit import toml
from lab_kit.addresses import BACKENDS, VIP
from lab_kit.load import churn
from lab_kit.middles import Sluice
from lab_kit.process import stop_process, wait_until
from lab_kit.toml import set_key
from lab_kit.topology import lab_with

IPERF_PORT, ECHO_PORT = 5201, 7007
VIP6, CLIENT6, BACKEND6 = "fd00:3::1", "fd00:1::1", "fd00:2::10"
LARGE = 8000  # bytes: six fragments

ECHO = """
import socket, sys
server = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
server.bind(("::", int(sys.argv[1])))
while True:
    said, client = server.recvfrom(65535)
    server.sendto(said, client)
"""
ASK = """
import os, socket, sys
host, port, count, size = sys.argv[1], *map(int, sys.argv[2:])
client = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
client.settimeout(2)
client.connect((host, port))
good = 0
for _ in range(count):
    said = os.urandom(size)
    client.send(said)
    try:
        good += client.recv(65535) == said
    except TimeoutError:
        pass
print(good)
"""
FLOOD = """
import os, socket, struct, sys, time
out = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
vip = socket.inet_aton(sys.argv[1])
end, sent = time.time() + float(sys.argv[2]), 0
while time.time() < end:
    for _ in range(100):
        sent += 1
        source = socket.inet_aton(f"10.1.{sent >> 8 & 15}.{sent & 255}")
        head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 0, sent & 0xffff or 1,
                           0x2000 | sent % 40 * 8, 64, 17, 0, source, vip)
        out.sendto(head + bytes(256), (sys.argv[1], 0))
print(sent)
"""


def with_services(text):
    text = set_key(set_key(text, "main_lcore", 0), "worker_lcores", [0, 1])
    text = text.replace('addresses = ["10.1.255.254/16"]',
                        'addresses = ["10.1.255.254/16", "fd00:1::fe/64"]')
    text = text.replace('addresses = ["10.2.255.254/16"]',
                        'addresses = ["10.2.255.254/16", "fd00:2::fe/64"]')
    iperf = [f"{BACKENDS[0]}:{IPERF_PORT}"]
    parts = [toml.local_pool("six", ["fd00:2::1:1"], (1024, 65535)),
             toml.service("iperf", f"{VIP}:{IPERF_PORT}", "default", iperf),
             toml.service("iperf-udp", f"{VIP}:{IPERF_PORT}", "default", iperf, protocol="udp")]
    for vip, name in ((VIP, "4"), (f"[{VIP6}]", "6")):
        for backend, pool, port in ((BACKENDS[0], "default", ECHO_PORT),
                                    (f"[{BACKEND6}]", "six", ECHO_PORT + 1)):
            parts.append(toml.service(f"echo-{name}-{port}", f"{vip}:{port}", pool,
                                      [f"{backend}:{ECHO_PORT}"], protocol="udp"))
    return text + "".join(parts)


@pytest.fixture(scope="module")
def lab():
    with ExitStack() as stack:
        lab = stack.enter_context(lab_with(Sluice(edit=with_services)))
        for namespace, address in ((lab.client, CLIENT6), (lab.backends[0], BACKEND6)):
            namespace.sysctl(**{"net.ipv6.conf.eth0.disable_ipv6": 0})
            namespace.ip("addr", "add", f"{address}/64", "dev", "eth0", "nodad")
        lab.client.ip("route", "add", f"{VIP6}/128", "via", "fd00:1::fe")
        server = lab.backends[0]
        for words in (("iperf3", "--server"), ("/usr/bin/python3", "-c", ECHO, ECHO_PORT)):
            stack.callback(stop_process, server.start(*words))
        wait_until(lambda: f":{IPERF_PORT} " in server.run("ss", "-Hltn"), 10, "no iperf3")
        wait_until(lambda: f":{ECHO_PORT} " in server.run("ss", "-Hlun"), 10, "no echo")
        yield lab


def ask(lab, host, port, count=50, size=LARGE):
    return int(lab.client.run("/usr/bin/python3", "-c", ASK, host, port, count, size))


@pytest.mark.parametrize("host", [VIP, VIP6], ids=["v4", "v6"])
@pytest.mark.parametrize("port", [ECHO_PORT, ECHO_PORT + 1], ids=["to v4", "to v6"])
def test_large_datagrams_both_ways_in_each_pair_of_families(lab, host, port):
    before = lab.middle.counters()
    assert ask(lab, host, port) == 50
    now = lab.middle.counters()
    assert now["datagrams_reassembled"] - before["datagrams_reassembled"] == 100
    assert now["frame_truncated"] == before["frame_truncated"]


def test_pings_of_any_size_are_answered(lab):
    for host in (VIP, VIP6):
        said = lab.client.run("ping", "-c", "5", "-i", "0.2", "-W", "2", "-s", str(LARGE), host)
        assert " 5 received" in said, said


@pytest.mark.parametrize("direction", [(), ("--reverse",)], ids=["up", "down"])
def test_iperf_with_datagrams_of_six_fragments(lab, direction):
    text = lab.client.run("iperf3", "--client", VIP, "--bind", "10.1.1.1", "--udp", "--bitrate",
                          "20M", "--length", str(LARGE), "--time", "2", "--json", *direction)
    lost, packets = (int(re.findall(rf'"{key}":\s*(\d+)', text)[-1])
                     for key in ("lost_packets", "packets"))
    assert packets > 400 and lost <= packets // 10, (lost, packets)


def test_both_workers_put_datagrams_together(lab):
    rows = lab.middle.show("workers")
    assert all(row["handed_off"] > 0 and row["taken_over"] > 0 for row in rows), rows


def test_a_flood_of_fragments_costs_others_nothing(lab):
    flood = lab.client.start("/usr/bin/python3", "-c", FLOOD, VIP, 6, stdout=-1, text=True)
    report = churn(lab, seconds=4, concurrency=4)
    sent = int(flood.communicate(timeout=30)[0])
    counters = lab.middle.counters()
    assert sent > 10_000
    assert report["opened"] > 100 and report["failed"] == 0, report
    assert counters["fragment_evicted"] + counters["fragments_limited"] > 0
    assert counters["mbuf_exhausted"] == 0
    assert ask(lab, VIP, ECHO_PORT, 20) == 20
    status = json.loads(lab.middle.ctl_run("status", "--json").stdout)
    assert any("fragment" in json.dumps(row) for row in status["findings"]), status["findings"]
