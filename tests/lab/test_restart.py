# SPDX-License-Identifier: BSD-3-Clause
"""Flows that outlive the process: transfers and churn through SIGTERM, SIGKILL and changed files.

No cheaper test has real ends that go on over a dead Sluice and a started one.
"""

import random
import signal
import subprocess
import time

import pytest

from lab_kit import toml
from lab_kit.addresses import BACKENDS, VIP
from lab_kit.load import Churn
from lab_kit.middles import Sluice
from lab_kit.process import wait_until
from lab_kit.topology import lab_with
from lab_kit.transfers import STEADY, Transfers

FIRST_BACKEND = f'\n[[service.backend]]\naddress = "{BACKENDS[0]}:80"\n'
SLOW = "4M"  # a second; 2.5 s for the file


@pytest.fixture(scope="module")
def lab():
    with lab_with(Sluice(keep=True, edit=lambda text: text + STEADY)) as lab:
        yield lab


def kill(sluice):
    sluice.kill()


def terminate(sluice):
    sluice.process.send_signal(signal.SIGTERM)
    assert sluice.process.wait(30) == 0


def crash(sluice):
    sluice.process.send_signal(signal.SIGSEGV)
    sluice.process.wait(30)


def downloads(lab, count, rate=SLOW):
    return [subprocess.Popen(lab.client.command(
        "curl", "-sS", "--limit-rate", rate, "-o", lab.work / f"kept{i}",
        f"http://{VIP}/random10m")) for i in range(count)]


def assert_right(lab, processes):
    assert [process.wait(60) for process in processes] == [0] * len(processes)
    right = (lab.work / "www" / "random10m").read_bytes()
    for i in range(len(processes)):
        assert (lab.work / f"kept{i}").read_bytes() == right


@pytest.mark.parametrize("end", [terminate, kill, crash])
def test_downloads_go_on(lab, end):
    processes = downloads(lab, 8)
    for _ in range(2):
        time.sleep(random.uniform(0.3, 0.8))
        end(lab.middle)
        lab.middle.launch()
        assert lab.middle.counters()["flows_adopted"] >= 8
    assert_right(lab, processes)
    assert "flows_not_adopted" not in [
        name for name, value in lab.middle.counters().items() if value and name.startswith("flows_n")]


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
    processes = downloads(lab, 12)
    try:
        for workers in ([1, 0], [1], [1, 0]):
            time.sleep(0.4)
            lab.middle.config.write_text(toml.set_key(text, "worker_lcores", workers))
            kill(lab.middle)
            lab.middle.launch()
            assert lab.middle.counters()["flows_adopted"] >= 12
        assert_right(lab, processes)
    finally:
        lab.middle.config.write_text(text)
        terminate(lab.middle)
        lab.middle.launch()


def test_what_no_longer_fits_is_reset_and_counted(lab):
    text = lab.middle.config.read_text()
    processes = downloads(lab, 4)
    wait_until(lambda: lab.middle.backend(f"{BACKENDS[0]}:80")["active"] == 2, 5, "no downloads")
    try:
        lab.middle.config.write_text(text.replace(FIRST_BACKEND, "\n", 1))
        terminate(lab.middle)
        lab.middle.launch()
        assert lab.middle.counters()["flows_not_adopted"] == 2
        assert sorted(process.wait(60) for process in processes) == [0, 0, 56, 56]
    finally:
        lab.middle.config.write_text(text)
        terminate(lab.middle)
        lab.middle.launch()


def test_crash_upon_crash_starts_clean(lab):
    for _ in range(3):
        crash(lab.middle)
        lab.middle.launch()
    assert "crashed 3 times in a minute" in lab.middle.log()
    assert list(lab.middle.state.glob("*.old"))
    assert lab.middle.counters()["flows_adopted"] == 0
