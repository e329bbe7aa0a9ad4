# SPDX-License-Identifier: BSD-3-Clause
"""What an operator changes while packets flow: overrides, save, the drain of the whole balancer."""

import signal
import time

import pytest

from lab_kit.addresses import LOCAL
from lab_kit.load import Churn, Held, churn
from lab_kit.middles import Sluice
from lab_kit.process import wait_until
from lab_kit.topology import lab_with
from lab_kit.witness import assert_all_well

FIRST, SECOND = "10.2.0.10:80", "10.2.0.11:80"


@pytest.fixture(scope="module")
def shared():
    with lab_with(Sluice()) as lab:
        yield lab


@pytest.fixture
def lab(shared):
    """The shared lab, with Sluice up, without overrides and without a drain."""
    yield shared
    if shared.middle.process.poll() is not None:
        return shared.middle.launch()
    shared.middle.ctl("undrain")
    shared.middle.ctl("backend", "clear", "--all")


def set_backend(lab, address, *words, service="web"):
    return lab.middle.ctl("backend", "set", service, address, *words)


def established(lab, index):
    """The connections that a backend has with Sluice."""
    lines = lab.backends[index].run("ss", "-Htn", "state", "established").splitlines()
    return [line for line in lines if f"{LOCAL}:" in line]


def test_overrides_under_load_lose_nothing(lab):
    load = Churn(lab, seconds=4)
    keepalive = Churn(lab, close="client", path="/letters10m", concurrency=2, seconds=4)
    for words in (["--weight", 5], ["--drain"], ["--up"], ["--down"], ["--up", "--weight", 1],
                  ["--clear"]):
        time.sleep(0.5)
        set_backend(lab, FIRST, *words)
    assert_all_well(load.finish())
    assert_all_well(keepalive.finish())


def test_a_weight_counts_at_once_and_is_shown(lab):
    said = set_backend(lab, FIRST, "--weight", 3)
    assert said == f"web {FIRST}: weight 3 (in the file: weight 1)\n"
    shown = lab.middle.backend(FIRST)
    assert (shown["weight"], shown["weight_configured"], shown["override"], shown["state"]) == \
        (3, 1, "weight 3", "up")
    assert churn(lab, seconds=10, connections=400)["backends"] == \
        {"10.2.0.10": 300, "10.2.0.11": 100}
    assert "weight 3" in lab.middle.ctl("show", "backends")


def test_a_drained_backend_keeps_its_flows(lab):
    held = Held(lab, 4)
    said = set_backend(lab, "10.2.0.10:8080", "--drain", service="keepalive")
    assert "flows that go on: 2" in said
    assert lab.middle.backend("10.2.0.10:8080")["state"] == "draining"
    report = churn(lab, close="client", seconds=10, connections=300)
    assert report["backends"] == {"10.2.0.11": 300}
    assert held.close() == ["open"] * 4
    wait_until(lambda: lab.middle.backend("10.2.0.10:8080")["active"] == 0, 10, "flows are left")


def test_a_backend_that_goes_down_may_have_its_flows_reset(lab):
    held = Held(lab, 4)
    said = set_backend(lab, "10.2.0.10:8080", "--down", "--reset-flows", service="keepalive")
    assert "flows reset: 2" in said
    shown = lab.middle.backend("10.2.0.10:8080")
    assert (shown["state"], shown["active"]) == ("down", 0)
    wait_until(lambda: not established(lab, 0), 10, "the backend was not reset")
    assert len(established(lab, 1)) == 2
    assert held.close() == ["open", "open", "reset", "reset"]


def test_an_unknown_word_is_named(lab):
    for words, said in ((["bogus"], '"bogus" is not known'), (["show"], "say what: services, "),
                        (["show", "bogus"], "bogus"), (["status", "--bogus"], "--bogus")):
        done = lab.middle.ctl_run(*words)
        assert done.returncode == 2 and said in done.stderr, done


def test_what_cannot_be_is_said(lab):
    for words, said in (
            (["set", "wbe", FIRST, "--drain"], 'there is no service "wbe"; the nearest: web'),
            (["set", "web", "10.2.0.1:80", "--drain"],
             f'service web has no backend "10.2.0.1:80"; the nearest: {FIRST}, {SECOND}'),
            (["set", "web", FIRST], "say what"),
            (["set", "web", FIRST, "--up", "--weight", 0], "up needs a weight"),
            (["set", "web", FIRST, "--up", "--drain"], "excludes"),
            (["set", "web", FIRST, "--reset-flows"], "--down"),
            (["set", "web", FIRST, "--weight", 1001], "1001"),
            (["clear"], "say which")):
        done = lab.middle.ctl_run("backend", *map(str, words))
        assert done.returncode != 0 and said in done.stderr, done
    assert lab.middle.backend(FIRST)["override"] is None


def test_a_reload_asks_what_becomes_of_overrides(lab):
    set_backend(lab, FIRST, "--drain")
    refused = lab.middle.ctl_run("reload")
    assert refused.returncode == 1 and f"web {FIRST} drain" in refused.stderr
    assert "overrides kept: 1, dropped: 0" in lab.middle.ctl("reload", "--keep-overrides")
    assert lab.middle.backend(FIRST)["state"] == "draining"
    log = lab.middle.log()
    lab.middle.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "overrides kept: 1" in lab.middle.log()[len(log):], 5, "no reload")
    assert lab.middle.backend(FIRST)["state"] == "draining"
    wait_until(lambda: f"{FIRST} of web takes no new connections: drain by hand" in
               lab.middle.ctl("status"), 5, "nobody says that a backend is drained")
    assert "dropped: 1" in lab.middle.ctl("reload", "--drop-overrides")
    assert lab.middle.backend(FIRST)["state"] == "up"
    lab.middle.ctl("reload")


def test_save_writes_the_file_and_nothing_else_in_it(lab):
    config = lab.middle.config
    before = config.read_text()
    config.chmod(0o640)
    set_backend(lab, FIRST, "--weight", 7)
    set_backend(lab, SECOND, "--drain")
    assert "saved into" in lab.middle.ctl("save")
    expected = before.replace(f'address = "{FIRST}"\n', f'address = "{FIRST}"\nweight = 7\n')
    expected = expected.replace(f'address = "{SECOND}"\n', f'address = "{SECOND}"\nweight = 0\n')
    assert config.read_text() == expected
    assert config.stat().st_mode & 0o777 == 0o640
    assert (lab.middle.backend(FIRST)["override"], lab.middle.backend(FIRST)["weight"]) == (None, 7)
    lab.middle.ctl("reload")
    assert churn(lab, seconds=5, connections=50)["backends"] == {"10.2.0.10": 50}

    set_backend(lab, SECOND, "--weight", 1)
    config.write_text(before)
    changed = lab.middle.ctl_run("save")
    assert changed.returncode == 1 and "has changed since it was read" in changed.stderr
    assert config.read_text() == before
    lab.middle.ctl("reload", "--drop-overrides")


def test_drain_and_undrain(lab):
    held = Held(lab, 2)
    assert "draining" in lab.middle.ctl("drain")
    refused = churn(lab, seconds=5, connections=20)
    assert refused["refused"] == 20 and refused["stalls"] == 0
    wait_until(lambda: "the whole balancer has been draining for" in lab.middle.ctl("status"), 5,
               "nobody says that it drains")
    late = lab.middle.ctl_run("drain", "--wait", "--timeout", "0")
    assert late.returncode == 1 and "time is up, flows left: 2" in late.stderr
    assert lab.middle.show("drain")[0]["state"] == "draining"
    lab.middle.ctl("drain", "--drop-syns")
    lab.middle.ctl_run("drain", "--wait", "--timeout", "0")  # to wait changes nothing
    assert lab.middle.show("drain")[0]["syns"] == "dropped"
    lab.middle.ctl("drain", "--reset-syns")
    assert lab.middle.show("drain")[0]["syns"] == "reset"
    assert held.close() == ["open", "open"]
    assert lab.middle.ctl("drain", "--wait").endswith("flows left: 0\n")
    assert lab.middle.show("drain")[0]["state"] == "drained"
    lab.middle.ctl("undrain")
    assert_all_well(churn(lab, seconds=1))


def test_sluice_stops_once_it_is_drained(lab):
    held = Held(lab, 2)
    lab.middle.ctl("drain", "--exit")
    assert churn(lab, seconds=3, connections=20)["refused"] == 20
    assert held.close() == ["open", "open"]
    assert lab.middle.process.wait(10) == 0


def test_what_is_left_when_time_is_up_can_be_reset(lab):
    held = Held(lab, 2)
    said = lab.middle.ctl("drain", "--wait", "--timeout", 0, "--reset", "--exit")
    assert "sluice has stopped" in said
    assert lab.middle.process.wait(10) == 0
    assert held.close() == ["reset", "reset"]
    assert not established(lab, 0) and not established(lab, 1)


def test_where_the_clocks_go(lab):
    """The workers' own loop samples itself: no cheaper test has one."""
    load = Churn(lab, seconds=8)
    stages = {}

    def is_sampled():
        stages.update({row["stage"]: row for row in lab.middle.show("stages")})
        return stages["inbound"]["packets"] > 0 and stages["outbound"]["packets"] > 0

    wait_until(is_sampled, 7, "no burst was timed")
    for name in ("receive", "parse", "look-up", "inbound", "outbound", "transmit", "upkeep"):
        assert stages[name]["packets"] > 0 and 1 < stages[name]["clocks"] < 1e7, stages
    assert "look-up" in lab.middle.ctl("show", "stages")
    assert_all_well(load.finish())
