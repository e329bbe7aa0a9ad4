# SPDX-License-Identifier: BSD-3-Clause
"""`sluicectl doctor` on a lab in which things are wrong on purpose."""

import json

import pytest

from lab_kit.load import churn
from lab_kit.middles import Sluice
from lab_kit.process import wait_until
from lab_kit.topology import lab_with


@pytest.fixture
def lab():
    with lab_with(Sluice(ports=(1024, 1100), reuse="never")) as lab:
        yield lab


def findings(lab):
    done = lab.middle.ctl_run("doctor", "--json")
    return done.returncode, json.loads(done.stdout)["findings"]


def said(lab, area):
    return [(row["severity"], row["what"], row["remedy"]) for row in findings(lab)[1]
            if row["area"] == area]


def test_it_finds_what_is_wrong(lab):
    status, rows = findings(lab)
    assert status == 0 and all(row["severity"] != "critical" for row in rows), rows
    assert all(row["remedy"] for row in rows if row["severity"] != "ok")

    lab.balancer.run("ethtool", "-K", "lb-client", "gro", "on")
    assert any(severity == "critical" and remedy == "ethtool -K lb-client gro off"
               for severity, _, remedy in said(lab, "offloads"))

    lab.backends[0].sysctl(**{"net.ipv4.tcp_timestamps": 0})
    churn(lab, seconds=5, connections=100)
    wait_until(lambda: any("10.2.0.10:80" in what for _, what, _ in said(lab, "timestamps")), 5,
               "nobody says that a backend refuses timestamps")
    assert not any("10.2.0.11:80" in what for _, what, _ in said(lab, "timestamps"))

    churn(lab, seconds=5, connections=400)  # 77 ports that rest 60 s each
    wait_until(lambda: any("bear 1 with reuse" in what for _, what, _ in said(lab, "ports")), 5,
               "nobody says that the ports run out")
    assert findings(lab)[0] == 1

    lab.switch.ip("link", "set", "port1", "down")
    lab.middle.kill()
    lab.middle.launch()  # a new one asks at once
    wait_until(lambda: any("10.2.0.11 does not answer ARP" in what
                           for _, what, _ in said(lab, "arp")), 20,
               "the silent backend is not named")


def test_without_sluice_the_host_is_examined(lab):
    lab.middle.stop()
    done = lab.middle.ctl_run("doctor", "--json", "--config", lab.middle.config)
    areas = {row["area"]: row["severity"] for row in json.loads(done.stdout)["findings"]}
    assert areas["sluice"] == "warning" and "hugepages" in areas and "offloads" in areas
