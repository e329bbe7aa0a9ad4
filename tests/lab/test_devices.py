# SPDX-License-Identifier: BSD-3-Clause
"""Devices that carry large frames and take multicast: kernel interfaces here.

What no cheaper test could have shown: that the driver and the kernel do what Sluice asks of them.
"""

import json

from lab_kit.addresses import VIP
from lab_kit.backend import PORT_KEEPALIVE
from lab_kit.middles import Sluice
from lab_kit.topology import lab_with

JUMBO = 9000


def jumbo(toml):
    for name in ("client", "backend"):
        toml = toml.replace(f'name = "{name}"', f'name = "{name}"\nmtu = {JUMBO}')
    return toml


def links(namespace):
    return {row["ifname"]: row for row in json.loads(namespace.run("ip", "-j", "-d", "link"))}


def findings(lab):
    return json.loads(lab.middle.ctl_run("status", "--json").stdout)["findings"]


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
