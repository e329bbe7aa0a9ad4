# SPDX-License-Identifier: BSD-3-Clause
"""SYN floods of spoofed sources beside real clients, which connect all the same.

What a cheaper test could not show: that real kernels' retransmissions, RSTs and SYN queues fit the
limits, and that a worker keeps up.
"""

import json
import statistics
import subprocess
import time

import pytest

from lab_kit.checkout import program
from lab_kit.load import Churn, Held
from lab_kit.middles import Sluice
from lab_kit.topology import lab_with

SILENT = ("10.1.32.0", 19)  # nobody is there
RATE = 20_000


class Flood:
    """`synflood` in the clients' namespace."""

    def __init__(self, lab, sources=SILENT, rate=RATE, seconds=5, repeat=False):
        words = [program("synflood"), "--mac", lab.balancer.mac_of("lb-client").hex(":"),
                 "--from", sources[0], "--length", sources[1], "--rate", rate,
                 "--seconds", seconds] + (["--repeat"] if repeat else [])
        self.process = lab.client.start(*words, stdout=subprocess.PIPE, text=True)
        lab.processes.append(self.process)

    def finish(self):
        return int(self.process.communicate(timeout=700)[0])


def flooded_lab():
    return lab_with(Sluice())


def blackhole(lab):
    """What goes to the silent sources ends at the clients' router."""
    lab.client.ip("route", "add", "blackhole", f"{SILENT[0]}/{SILENT[1]}")


def half_open(lab):
    return [row["half_open"] for row in lab.middle.show("backends") if row["service"] == "web"]


def findings(lab):
    return json.loads(lab.middle.ctl_run("status", "--json").stdout)["findings"]


def connections(load):
    """Of real clients: how many, which share succeeded, how long each took to connect, in ms."""
    report = load.finish()
    times = [row["connect_ms"] for row in load.connections()]
    return report, report["succeeded"] / report["opened"], times


def flood_beside_clients(lab, seconds, **options):
    """A flood, and what 100 connections a second of real clients meet meanwhile."""
    flood = Flood(lab, seconds=seconds, **options)
    time.sleep(min(2, seconds / 4))
    load = Churn(lab, rate=100, concurrency=512, seconds=seconds * 3 / 4, log=True)
    time.sleep(seconds / 2)
    seen = half_open(lab), findings(lab)
    report, share, times = connections(load)
    sent = flood.finish()
    print(f"{sent} SYNs in {seconds} s; {report['opened']} real connections, "
          f"{share:.2%} succeeded, median {statistics.median(times):.1f} ms, "
          f"worst {max(times):.0f} ms; {seen}")
    return report, share, times, seen


def first_connection_after(lab):
    """Its status, and how long it took to connect, in seconds."""
    said = lab.client.run("curl", "-s", "-o", "/dev/null", "-w", "%{http_code} %{time_connect}",
                          "--max-time", "5", "http://10.3.0.1/", check=False)
    print("first connection after the flood:", said)
    code, took = said.split()
    return code, float(took)


def assert_flood_on_the_default_range(lab, seconds):
    held = Held(lab, 4)
    report, share, times, (handshakes, said) = flood_beside_clients(lab, seconds)
    assert share >= 0.99 and max(times) <= 3_100, report
    assert all(0 < count <= 64512 // 2 for count in handshakes)
    (flood,) = [finding for finding in said if "half-open flood on web" in finding["what"]]
    assert "of 129,024 ports" in flood["what"]
    assert not any("add an lcore" in finding["remedy"] for finding in said)
    code, took = first_connection_after(lab)
    assert code == "200" and took < 0.1, took
    assert held.close() == ["open"] * 4


@pytest.mark.parametrize("seconds", [8, pytest.param(60, marks=pytest.mark.nightly)])
def test_a_flood_costs_real_clients_nothing(seconds):
    with flooded_lab() as lab:
        blackhole(lab)
        assert_flood_on_the_default_range(lab, seconds)
