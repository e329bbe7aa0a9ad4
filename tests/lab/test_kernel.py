# SPDX-License-Identifier: BSD-3-Clause
"""The way to the kernel: what is for an interface itself, through a tap, beside balanced traffic.

    client ---- lb-client [Sluice] sluice0 ---- the kernel of the balancer's namespace: ping, TCP,
    backends -- lb-backend         sluice1 ---- UDP, and whoever asks backends from there
"""

import re
import subprocess
import time
from ipaddress import ip_address

import pytest

from lab_kit.addresses import BACKEND_SIDE, CLIENT_SIDE, VIP
from lab_kit.capture import Capture
from lab_kit.load import Churn, churn
from lab_kit.middles import Sluice
from lab_kit.process import LabError, wait_until
from lab_kit.topology import lab_with, letters
from lab_kit.witness import assert_all_well

PORT = 2222  # of the server that stands for sshd


def with_kernel(toml):
    for side, name in ((CLIENT_SIDE, "sluice0"), (BACKEND_SIDE, "sluice1")):
        line = f'addresses = ["{side}/16"]'
        toml = toml.replace(line, f'{line}\nkernel = "{name}"')
    return toml


@pytest.fixture(scope="module")
def lab():
    with lab_with(Sluice(edit=with_kernel)) as lab:
        yield lab


@pytest.fixture(scope="module")
def server(lab):
    """A TCP server in the balancer's namespace, over the files of the backends' nginx."""
    process = lab.balancer.start("/usr/bin/python3", "-m", "http.server", PORT, "--directory",
                                 lab.work / "www", stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
    lab.processes.append(process)
    wait_until(lambda: f":{PORT} " in lab.balancer.run("ss", "-Hltn"), 10, "no server")


def ping(namespace, address, *options):
    return namespace.run("ping", "-c5", "-i0.1", "-W2", *options, address, check=False)


def curl(namespace, url, *options):
    return subprocess.run(namespace.command("curl", "-sSf", "--max-time", "60", *options, url),
                          text=True, capture_output=True)


def links(lab):
    return lab.balancer.ip("-br", "link")


def test_the_tap_is_the_interface(lab):
    shown = lab.balancer.ip("addr", "show", "sluice1")
    port = lab.balancer.ip("link", "show", "lb-backend")
    mac = re.compile(r"link/ether (\S+)")
    assert f"{BACKEND_SIDE}/16" in shown and "mtu 1500" in shown and ",UP" in shown
    assert mac.search(shown)[1] == mac.search(port)[1]
    assert "10.1.0.0/17 via 10.1.255.1" in lab.balancer.ip("route", "show", "dev", "sluice0")


def test_the_tap_keeps_the_ports_mac(lab):
    """Whoever changes it: udev does, to new interfaces, where its policy says so."""
    mac = lab.balancer.mac_of("lb-backend")
    lab.balancer.ip("link", "set", "sluice1", "address", "02:99:00:00:00:01")
    wait_until(lambda: lab.balancer.mac_of("sluice1") == mac, 5, "it keeps another MAC")
    assert "kernel sluice1: somebody gave the tap another MAC" in lab.middle.log()
    assert "5 received" in ping(lab.balancer, "10.2.0.10")


def test_ping_both_ways(lab):
    before = lab.middle.counters()
    for output in (ping(lab.client, CLIENT_SIDE), ping(lab.backends[0], BACKEND_SIDE),
                   ping(lab.balancer, "10.2.0.10"), ping(lab.balancer, "10.1.255.1")):
        assert "5 received, 0% packet loss" in output and "DUP" not in output, output
    after = lab.middle.counters()
    assert after["echo_requests_answered"] == before["echo_requests_answered"]
    assert after["packets_to_kernel"] >= before["packets_to_kernel"] + 20
    assert after["packets_from_kernel"] >= before["packets_from_kernel"] + 20
    assert "5 received" in ping(lab.client, VIP)  # which stays Sluice's
    assert lab.middle.counters()["echo_requests_answered"] == after["echo_requests_answered"] + 5


def test_tcp_to_the_interface_beside_the_service(lab, server):
    load = Churn(lab, seconds=3)
    fetched = lab.work / "fetched"
    done = curl(lab.client, f"http://{CLIENT_SIDE}:{PORT}/letters10m", "-o", fetched)
    assert done.returncode == 0, done.stderr
    assert fetched.read_bytes() == letters(10_000_000)
    start = time.monotonic()
    assert curl(lab.client, f"http://{CLIENT_SIDE}:9/").returncode == 7  # refused by the kernel
    assert time.monotonic() - start < 30
    assert_all_well(load.finish())


def test_the_kernel_reaches_the_backends_from_the_interfaces_address(lab):
    with Capture(lab, lab.backends[0]) as capture:
        assert curl(lab.balancer, "http://10.2.0.10:80/").stdout.encode() == letters(260)
    sources = {packet.src[0] for packet in capture.packets()}
    assert sources == {int(ip_address(BACKEND_SIDE))}


def test_what_sluice_does_not_read(lab):
    """UDP, there and back. (Fragments are in tests/stage: net_af_packet puts them together.)"""
    echo = lab.balancer.start("/usr/bin/python3", "-c", """
import socket
peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
peer.bind(("10.1.255.254", 5353))
while True:
    data, source = peer.recvfrom(2000)
    peer.sendto(data.upper(), source)
""")
    lab.processes.append(echo)
    wait_until(lambda: ":5353 " in lab.balancer.run("ss", "-Hlun"), 10, "no UDP server")
    answer = lab.client.run("/usr/bin/python3", "-c", f"""
import socket
peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
peer.settimeout(5)
peer.sendto(b"sluice", ("{CLIENT_SIDE}", 5353))
print(peer.recv(2000).decode())
""")
    assert answer.strip() == "SLUICE"


FLOOD = f"""
import socket, time
peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
end = time.time() + 4
while time.time() < end:
    for _ in range(100):
        try:
            peer.sendto(bytes(10), ("{CLIENT_SIDE}", 9999))
        except OSError:
            pass
"""


def test_a_flood_takes_its_share_and_no_more(lab):
    before = lab.middle.counters()
    floods = [lab.client.start("/usr/bin/python3", "-c", FLOOD, stderr=subprocess.DEVNULL)
              for _ in range(2)]
    time.sleep(0.5)
    report = churn(lab, seconds=3)
    assert "5 received, 0% packet loss" in ping(lab.backends[0], BACKEND_SIDE)
    for flood in floods:
        flood.wait()
    after = lab.middle.counters()
    assert_all_well(report)
    assert after["packets_to_kernel"] > before["packets_to_kernel"]


def test_addresses_and_routes_follow_a_reload(lab):
    text = lab.middle.config.read_text()
    more = text.replace(f'["{CLIENT_SIDE}/16"]', f'["{CLIENT_SIDE}/16", "10.1.255.253/16"]')
    more += '\n[[route]]\nto = "192.0.2.0/24"\nvia = "10.2.0.10"\n'
    done = lab.middle.reload(more)
    assert done.returncode == 0, done.stderr
    assert "10.1.255.253/16" in lab.balancer.ip("addr", "show", "sluice0")
    assert "192.0.2.0/24 via 10.2.0.10" in lab.balancer.ip("route", "show", "dev", "sluice1")
    assert "5 received" in ping(lab.client, "10.1.255.253")
    assert lab.middle.reload(text).returncode == 0
    assert "10.1.255.253" not in lab.balancer.ip("addr", "show", "sluice0")
    assert "192.0.2.0" not in lab.balancer.ip("route", "show", "dev", "sluice1")
    assert "10.1.0.0/17 via 10.1.255.1" in lab.balancer.ip("route", "show", "dev", "sluice0")


def test_another_kernel_name_needs_a_restart(lab):
    text = lab.middle.config.read_text()
    done = lab.middle.reload(text.replace('"sluice0"', '"sluice7"'))
    assert done.returncode != 0 and "interface.kernel" in done.stderr
    lab.middle.config.write_text(text)


def test_a_deleted_tap_comes_back(lab):
    lab.balancer.ip("link", "del", "sluice0")
    wait_until(lambda: "the tap is there again" in lab.middle.log(), 10, "no tap")
    assert "5 received" in ping(lab.client, CLIENT_SIDE)
    assert_all_well(churn(lab, seconds=1))


def test_a_stop_takes_the_tap_along(lab):
    lab.middle.stop()
    assert "sluice0" not in links(lab)
    # Its name is taken when it comes back: one line says so, and nothing is left.
    lab.balancer.ip("link", "add", "sluice0", "type", "bridge")
    with pytest.raises(LabError, match=r'kernel "sluice0": an interface of that name is there'):
        lab.middle.launch()
    lab.balancer.ip("link", "del", "sluice0")
    lab.middle.launch()
    lab.middle.kill()
    wait_until(lambda: "sluice0" not in links(lab), 5, "the tap outlives a crash")
