# SPDX-License-Identifier: BSD-3-Clause
"""A link that goes: who is told, of which one, and how soon; and what is announced when it is back.

net_af_packet knows nothing of the kernel interface that it takes its packets from.
"""

import json
import time

import pytest

from lab_kit.configuration import Configuration

CONFIG = Configuration(count=1)
SECONDS = 1.0  # within which everybody knows


def status(sluice):
    done = sluice.ctl_run("status", "--json")
    return done.returncode, json.loads(done.stdout)


def finding(sluice):
    """What status says of links; its exit status has to agree."""
    code, verdict = status(sluice)
    said = [row for row in verdict["findings"] if "no link" in row["what"]]
    assert code == (1 if said else 0), verdict
    return said[0] if said else None


def seconds_until(condition):
    begin = time.monotonic()
    while not condition():
        assert time.monotonic() - begin < 5, "it does not come"
        time.sleep(0.02)
    return time.monotonic() - begin


def row(sluice, name="client"):
    return next(row for row in sluice.show("interfaces") if row["name"] == name)


WAYS = [  # interface that is changed, what is said
    ("lb-client", "lb-client is switched off", "ip link set lb-client up"),
    ("wire-client", "lb-client has no carrier", "cable"),
]


@pytest.fixture
def back_up(sluice, wire):
    yield
    for interface in ("lb-client", "wire-client"):
        wire.namespace.ip("link", "set", interface, "up")
    seconds_until(lambda: row(sluice)["link_up"])
    wire.client.arps.clear()


@pytest.mark.parametrize("interface, reason, remedy", WAYS)
def test_a_link_that_goes_is_seen_within_a_second(sluice, wire, back_up, interface, reason, remedy):
    wire.settle()
    assert finding(sluice) is None
    told = sluice.log().count("link down")
    wire.namespace.ip("link", "set", interface, "down")
    assert seconds_until(lambda: finding(sluice)) < SECONDS
    said = finding(sluice)
    assert said["what"] == f"interface client: no link: {reason}"
    assert said["severity"] == "critical" and remedy in said["remedy"]
    assert not row(sluice)["link_up"] and row(sluice)["link"] == "down"
    assert row(sluice, "backend")["link_up"], "the other one has its link"
    assert sluice.log().count("link down") == told + 1
    assert f"interface client: link down: {reason}" in sluice.log()

    wire.client.arps.clear()
    wire.namespace.ip("link", "set", interface, "up")
    assert seconds_until(lambda: finding(sluice) is None) < SECONDS
    assert row(sluice)["link_up"]
    assert "interface client: link up" in sluice.log()


def announced(wire):
    wire.client.take_in()
    return [frame for frame in wire.client.arps if frame.payload.psrc == frame.payload.pdst]


def test_a_short_loss_is_seen_too(sluice, wire, back_up):
    """Down and up again before anybody could look: neighbours may have forgotten us anyway."""
    wire.client.take_in()
    wire.client.arps.clear()
    wire.namespace.run("sh", "-c", "ip link set wire-client down; ip link set wire-client up")
    seconds_until(lambda: announced(wire))
    assert "interface client: " in sluice.log().splitlines()[-1]
