# SPDX-License-Identifier: BSD-3-Clause
"""Which backend is slow, and which one hangs: asked of status, show, top's figures and the page."""

import json

import pytest
from selenium.webdriver.common.by import By

from browser import URL, browser, with_page
from lab_kit.load import Churn
from lab_kit.middles import Sluice
from lab_kit.process import wait_until
from lab_kit.topology import lab_with

SECOND = "10.2.0.11:80"


@pytest.fixture(scope="module")
def lab():
    with lab_with(Sluice(edit=with_page)) as lab:
        yield lab


def condition(lab, address=SECOND):
    rows = json.loads(lab.middle.ctl_run("status", "--json").stdout)["backends"]
    return {row["address"]: row for row in rows}[address]["condition"]


def test_the_hung_backend_is_named(lab):
    wait_until(lambda: condition(lab) == "up", 5, "not up")
    with lab.backends[1].frozen():
        load = Churn(lab, seconds=5, concurrency=64)
        wait_until(lambda: condition(lab) == "silent", 10, "the hung backend is not named")
        assert "sends no byte back" in lab.middle.ctl("status")
    load.stop()


def test_the_slow_backend_is_named(lab):
    # A link of 400 kbit/s: what it sends waits behind itself.
    lab.backends[1].run("tc", "qdisc", "add", "dev", "eth0", "root", "tbf", "rate", "400kbit",
                        "burst", "2kb", "latency", "500ms")
    load = Churn(lab, seconds=8, concurrency=16)
    try:
        wait_until(lambda: condition(lab) == "slow", 8, "the slow backend is not named")
        said = lab.middle.ctl("status")
        assert f"warning  backend {SECOND} of web needs " in said
        assert "for a handshake, the other backends " in said
        slow, fast = map(lab.middle.backend, (SECOND, "10.2.0.10:80"))
        assert slow["handshake_p50_ms"] > 5 * fast["handshake_p50_ms"]
        with browser(lab.balancer) as page:
            page.get(URL)
            head = page.find_element(By.ID, "findings")
            wait_until(lambda: head.get_attribute("class") == "warning",
                       10, "the page does not say it")
            row = page.find_element(By.CSS_SELECTOR, "#backends tbody tr.warning").text
            assert SECOND in row and " ms" in row
    finally:
        lab.backends[1].run("tc", "qdisc", "del", "dev", "eth0", "root")
        load.stop()
