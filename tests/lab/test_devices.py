# SPDX-License-Identifier: BSD-3-Clause
"""Devices that carry large frames, take multicast, go and come back: kernel interfaces here.

What no cheaper test could have shown: that the driver and the kernel do what Sluice asks of them,
and that connections outlive a device that was gone.
"""

import json
import re
import time

from lab_kit.addresses import VIP
from lab_kit.backend import PORT_KEEPALIVE
from lab_kit.load import churn
from lab_kit.middles import Sluice
from lab_kit.namespace import link
from lab_kit.process import run, wait_until
from lab_kit.topology import lab_with

JUMBO = 9000


def jumbo(toml):
    for name in ("client", "backend"):
        toml = toml.replace(f'name = "{name}"', f'name = "{name}"\nmtu = {JUMBO}')
    return toml


def links(namespace):
    return {row["ifname"]: row for row in json.loads(namespace.run("ip", "-j", "-d", "link"))}


def findings(lab):
    """What is wrong of the devices; how busy the worker is depends on the machine of the lab."""
    rows = json.loads(lab.middle.ctl_run("status", "--json").stdout)["findings"]
    return [row for row in rows if "busy" not in row["what"]]


def widen(lab):
    """All links but Sluice's own, which it sets itself."""
    switched = (lab.switch, ["port", "port0", "port1", "bridge"])
    for namespace, names in ((lab.client, ["eth0"]), switched,
                             *((backend, ["eth0"]) for backend in lab.backends)):
        for name in names:
            namespace.ip("link", "set", name, "mtu", str(JUMBO))


def test_frames_of_9000_bytes_go_through_whole():
    with lab_with(Sluice(edit=jumbo)) as lab:
        widen(lab)
        kernel = links(lab.balancer)
        assert kernel["lb-client"]["mtu"] == kernel["lb-backend"]["mtu"] == JUMBO
        before = lab.middle.worker_sum("packets_out")
        url = f"http://{VIP}:{PORT_KEEPALIVE}/letters10m"
        size = lab.client.run("curl", "-sS", "-o", "/dev/null", "-w", "%{size_download}", url)
        packets = lab.middle.worker_sum("packets_out") - before
        assert int(size) == 10_000_000
        # 10 MB are 1,117 segments of 8,948 bytes, and at most an acknowledgement for each.
        assert packets < 2600, packets
        assert findings(lab) == []


def test_multicast_is_asked_of_the_kernel():
    with lab_with(Sluice()) as lab:
        for name in ("lb-client", "lb-backend"):
            assert links(lab.balancer)[name]["allmulti"] == 1
        lab.middle.stop()
        assert links(lab.balancer)["lb-client"]["allmulti"] == 0


SLOW_DOWNLOAD = """
import socket, sys, time
peer = socket.create_connection((sys.argv[1], int(sys.argv[2])))
peer.sendall(b"GET /letters10m HTTP/1.1\\r\\nHost: lab\\r\\nConnection: close\\r\\n\\r\\n")
total = len(peer.recv(1))
print("begun", flush=True)
time.sleep(float(sys.argv[3]))
while part := peer.recv(65536):
    total += len(part)
print(total, flush=True)
"""


def test_a_connection_outlives_a_device_that_was_gone():
    with lab_with(Sluice()) as lab:
        download = lab.client.start("/usr/bin/python3", "-c", SLOW_DOWNLOAD, VIP, PORT_KEEPALIVE, 3,
                                    stdout=-1, text=True)
        assert download.stdout.readline() == "begun\n"
        mac = links(lab.balancer)["lb-backend"]["address"]
        lab.balancer.ip("link", "del", "lb-backend")
        wait_until(lambda: "its device net_af_packet1 is gone" in lab.middle.log(), 5,
                   "nobody misses the device")
        (row,) = [row for row in lab.middle.show("interfaces") if row["name"] == "backend"]
        assert row["link"] == "down" and "is gone" in row["link_reason"]
        link(lab.balancer, "lb-backend", lab.switch, "port")
        lab.switch.ip("link", "set", "port", "master", "bridge")
        wait_until(lambda: "its device net_af_packet1 is there again" in lab.middle.log(), 5,
                   "it is not taken back")
        assert links(lab.balancer)["lb-backend"]["address"] != mac
        assert int(download.stdout.readline()) > 10_000_000
        time.sleep(2)
        url = f"http://{VIP}:{PORT_KEEPALIVE}/"
        assert run(*lab.client.command("curl", "-sS", "-m", "5", url))
        assert findings(lab) == []
        assert lab.middle.counters()["port_absent"] > 0
        assert "Invalid port_id" not in lab.middle.log()


def clouds(toml):
    """As a cloud has it: an address without a network, and a gateway beside it."""
    toml = toml.replace('"10.1.255.254/16"', '"10.1.255.254/32"')
    return toml.replace('via = "10.1.255.1"',
                        'via = "10.1.255.1"\non_link = true\ninterface = "client"')


def test_a_gateway_that_is_on_no_network():
    with lab_with(Sluice(edit=clouds)) as lab:
        report = churn(lab, seconds=3, concurrency=8)
        assert report["opened"] > 0 and report["failed"] == report["stalls"] == 0, report
        assert findings(lab) == []


def on_a_tap(toml):
    return re.sub(r'device = "net_af_packet0,.*"', 'device = "net_tap0,iface=sluice-c"', toml)


def test_a_bridge_and_a_tap_spare_switching_offloads_off():
    """docs/hardware.md: the kernel sums up and cuts what comes through a tap."""
    with lab_with(Sluice(edit=on_a_tap)) as lab:
        balancer = lab.balancer
        for words in (("add", "br-c", "type", "bridge"), ("set", "br-c", "up"),
                      ("set", "lb-client", "master", "br-c"),
                      ("set", "sluice-c", "address", "02:00:00:00:00:01"),
                      ("set", "sluice-c", "master", "br-c")):
            balancer.ip("link", *words)
        lab.client.run("ethtool", "-K", "eth0", "tx", "on", "tso", "on", "gso", "on")
        balancer.run("ethtool", "-K", "lb-client", "gro", "on")
        report = churn(lab, close="upload", path="/upload/%", seconds=4, concurrency=2)
        assert report["opened"] > 0 and report["failed"] == 0, report
        assert lab.middle.counters()["tcp_checksum_bad"] == 0
        assert lab.middle.counters()["frame_segmented"] == 0
        assert lab.middle.counters()["frame_truncated"] == 0
