# SPDX-License-Identifier: BSD-3-Clause
"""Flows that outlive the process: transfers and churn through SIGTERM, SIGKILL and changed files.

No cheaper test has real ends that go on over a dead Sluice and a started one.
"""

import json
import random
import signal
import subprocess
import time
from contextlib import contextmanager

import pytest

from lab_kit import toml
from lab_kit.addresses import BACKENDS, VIP
from lab_kit.ipv6 import FAMILIES, endpoint, give_ipv6, service, vip, with_ipv6
from lab_kit.load import Churn
from lab_kit.middles import Sluice
from lab_kit.process import wait_until
from lab_kit.topology import lab_with
from lab_kit.transfers import STEADY, Transfers

FIRST_BACKEND = f'\n[[service.backend]]\naddress = "{BACKENDS[0]}:80"\n'
SLOW = "4M"  # a second; 2.5 s for the file
URLS = {"44": f"http://{VIP}/random10m"} | {
    families: f"http://{endpoint(vip(families), 8000 + int(families))}/random10m"
    for families in FAMILIES}


def both_families(text):
    return with_ipv6(text + STEADY, (1024, 65535),
                     [service(families, "web", 8000 + int(families), 80) for families in FAMILIES])


@pytest.fixture(scope="module")
def lab():
    with lab_with(Sluice(keep=True, edit=both_families)) as lab:
        give_ipv6(lab)
        yield lab


@contextmanager
def configured(sluice, text):
    """Another file, until the end of the test."""
    before = sluice.config.read_text()
    sluice.config.write_text(text)
    try:
        yield
    finally:
        sluice.config.write_text(before)
        terminate(sluice)
        sluice.launch()


def kill(sluice):
    sluice.kill()


def terminate(sluice):
    sluice.process.send_signal(signal.SIGTERM)
    assert sluice.process.wait(30) == 0


def crash(sluice):
    sluice.process.send_signal(signal.SIGSEGV)
    sluice.process.wait(30)


def first_backend(lab):
    (row,) = [row for row in lab.middle.show("backends")
              if row["service"] == "web" and row["address"] == f"{BACKENDS[0]}:80"]
    return row


def downloads(lab, count, rate=SLOW, urls=(URLS["44"],)):
    return [subprocess.Popen(lab.client.command(
        "curl", "-sS", "--limit-rate", rate, "-o", lab.work / f"kept{i}", urls[i % len(urls)]))
        for i in range(count)]


def assert_right(lab, processes):
    assert [process.wait(60) for process in processes] == [0] * len(processes)
    right = (lab.work / "www" / "random10m").read_bytes()
    for i in range(len(processes)):
        assert (lab.work / f"kept{i}").read_bytes() == right


@pytest.mark.parametrize("end", [terminate, kill,
                                 pytest.param(crash, marks=pytest.mark.nightly)])
def test_downloads_go_on(lab, end):
    before = lab.middle.counters()
    processes = downloads(lab, 8, urls=list(URLS.values()))
    for _ in range(2):
        time.sleep(random.uniform(0.3, 0.8))
        end(lab.middle)
        lab.middle.launch()
    assert_right(lab, processes)
    counters = lab.middle.counters()
    assert counters["flows_adopted"] >= before["flows_adopted"] + 16, "counters go on, too"
    assert counters["flows_not_adopted"] == before["flows_not_adopted"]


def test_transfers_beside_churn_over_many_kills(lab):
    transfers = Transfers(lab, 60)
    load = Churn(lab, seconds=20, concurrency=16, timeout=30)
    for _ in range(8):
        time.sleep(random.uniform(0.5, 2.0))
        kill(lab.middle)
        lab.middle.launch()
    report = load.finish()
    for what, good, seen in transfers.stop():
        assert good, (what, seen)
    assert report["failed"] == 0, report


def test_another_number_of_workers(lab):
    """Flows go to whoever has their ports; their clients' packets may come in elsewhere."""
    text = lab.middle.config.read_text()
    processes = downloads(lab, 12, urls=list(URLS.values()))
    with configured(lab.middle, text):
        for workers in ([1, 0], [1], [1, 0]):
            time.sleep(0.4)
            lab.middle.config.write_text(toml.set_key(text, "worker_lcores", workers))
            kill(lab.middle)
            lab.middle.launch()
        assert_right(lab, processes)


@pytest.mark.nightly
def test_another_size_and_other_ports(lab):
    """What fits in goes on; the ports of these pools grow."""
    text = lab.middle.config.read_text()
    other = toml.set_key(text, "flows_per_worker", 65_536).replace('"1024-65535"', '"1000-65535"')
    assert other.count("1000-65535") == 3
    processes = downloads(lab, 8, urls=list(URLS.values()))
    time.sleep(0.4)
    with configured(lab.middle, other):
        terminate(lab.middle)
        lab.middle.launch()
        assert_right(lab, processes)


def test_what_no_longer_fits_is_reset_and_counted(lab):
    text = lab.middle.config.read_text()
    processes = downloads(lab, 4, rate="1M")
    wait_until(lambda: first_backend(lab)["active"] == 2, 5, "no downloads")
    before = lab.middle.counters()["flows_not_adopted"]
    with configured(lab.middle, text.replace(FIRST_BACKEND, "\n", 1)):
        plan = json.loads(lab.middle.ctl_run("restart", "--plan", "--json").stdout)
        assert plan["lost"] == 2 and plan["kept"] >= 2, plan
        terminate(lab.middle)
        lab.middle.launch()
        assert lab.middle.counters()["flows_not_adopted"] == before + 2
        assert sorted(process.wait(60) for process in processes) == [0, 0, 56, 56]


def test_what_operators_have_set_and_what_was_counted(lab):
    lab.middle.ctl("backend", "set", "web", f"{BACKENDS[0]}:80", "--drain")
    wait_until(lambda: "drain" in (lab.middle.state / "control.json").read_text(), 5, "not written")
    opened = lab.middle.counters()["flows_opened"]
    kill(lab.middle)
    lab.middle.launch()
    assert first_backend(lab)["override"] == "drain"
    # What the last few seconds have counted goes with a kill.
    assert 0 < lab.middle.counters()["flows_opened"] <= opened
    lab.middle.ctl("backend", "clear", "--all")
    terminate(lab.middle)
    lab.middle.launch()
    assert first_backend(lab)["override"] in (None, "", "-")
    assert lab.middle.counters()["flows_opened"] == opened


def test_another_layout_is_said_before_and_not_read(lab):
    processes = downloads(lab, 2)
    time.sleep(0.4)
    kill(lab.middle)
    (names,) = lab.middle.state.glob("*/names")
    with open(names, "r+b") as file:
        file.seek(8)  # behind the magic number
        file.write(b"\0\0\0\0")
    lab.middle.launch()
    assert "of no use" in lab.middle.log()
    # The backend hears of it when it goes on; a client that says nothing does not.
    for process in processes:
        process.terminate()
        process.wait(10)


def test_crash_upon_crash_starts_clean(lab):
    for _ in range(3):  # others have crashed it, too
        before = len(lab.middle.log())
        crash(lab.middle)
        lab.middle.launch()
        if "crashed 3 times in a minute" in lab.middle.log()[before:]:
            break
    assert "flows taken over" not in lab.middle.log()[before:]
    assert list(lab.middle.state.glob("*.old"))
