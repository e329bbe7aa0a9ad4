# SPDX-License-Identifier: BSD-3-Clause
"""Sluice in operation: reloads, drains, idle flows, refusals, second starts, stops."""

import re
import signal
import subprocess
import time

import pytest

from lab_kit.addresses import VIP
from lab_kit.load import Churn, churn
from lab_kit.middles import Sluice
from lab_kit.process import wait_until
from lab_kit.sluice import run_sluice
from lab_kit.toml import table
from lab_kit.topology import lab_with
from lab_kit.witness import assert_all_well

FIRST_BACKEND = '\n[[service.backend]]\naddress = "10.2.0.10:80"\n'


@pytest.fixture(scope="module")
def shared():
    with lab_with(Sluice()) as lab:
        yield lab


@pytest.fixture
def lab(shared):
    """The shared lab with the configuration it began with, and with Sluice up."""
    if not shared.middle.is_up():
        shared.middle.launch()
    assert shared.middle.reload(shared.middle.toml()).returncode == 0
    return shared


def without_first_backend(toml):
    assert toml.count(FIRST_BACKEND) == 1
    return toml.replace(FIRST_BACKEND, "\n")


def weighted(toml, weight):
    return toml.replace(FIRST_BACKEND, f"{FIRST_BACKEND}weight = {weight}\n")


def backends_up(lab):
    return [row["address"] for row in lab.middle.show("backends") if row["state"] == "up"]


def test_reload_under_load_loses_nothing(lab):
    text = lab.middle.config.read_text()
    load = Churn(lab, seconds=4)
    keepalive = Churn(lab, close="client", path="/letters10m", concurrency=2, seconds=4)
    for weight in (2, 1, 3, 1, 2, 1):
        time.sleep(0.5)
        assert lab.middle.reload(weighted(text, weight)).returncode == 0
    assert_all_well(load.finish())
    assert_all_well(keepalive.finish())


def test_sighup_reloads(lab):
    lab.middle.config.write_text(without_first_backend(lab.middle.config.read_text()))
    lab.middle.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "10.2.0.10:80" not in backends_up(lab), 5,
               "the removed backend is still up")
    assert churn(lab, seconds=10, connections=200)["backends"] == {"10.2.0.11": 200}


def test_a_removed_backend_drains(lab):
    text = lab.middle.config.read_text()
    slow = [subprocess.Popen(lab.client.command(
        "curl", "-sS", "--limit-rate", "2M", "-o", lab.work / f"slow{i}",
        f"http://{VIP}/random10m")) for i in range(4)]
    wait_until(lambda: lab.middle.backend("10.2.0.10:80")["active"] == 2, 5, "no slow download")
    assert lab.middle.reload(without_first_backend(text)).returncode == 0
    report = churn(lab, seconds=10, connections=1000)
    assert_all_well(report)
    assert report["backends"] == {"10.2.0.11": 1000}
    assert [process.wait(30) for process in slow] == [0] * 4
    want = (lab.work / "www" / "random10m").read_bytes()
    assert all((lab.work / f"slow{i}").read_bytes() == want for i in range(4))


def test_weight_zero_takes_nothing_new(lab):
    assert lab.middle.reload(weighted(lab.middle.config.read_text(), 0)).returncode == 0
    assert churn(lab, seconds=10, connections=500)["backends"] == {"10.2.0.11": 500}


def test_a_bad_file_changes_nothing(lab):
    text = lab.middle.config.read_text()
    load = Churn(lab, seconds=3)
    done = lab.middle.reload(text.replace('scheduler = "round_robin"', 'scheduler = "roundrobin"'))
    assert done.returncode != 0
    assert "scheduler" in done.stdout + done.stderr
    assert_all_well(load.finish())
    wait_until(lambda: "the last reload was refused" in lab.middle.ctl("status"), 5,
               "status does not say it")
    assert lab.middle.reload(text).returncode == 0
    wait_until(lambda: "the last reload was refused" not in lab.middle.ctl("status"), 5,
               "status still says it")
    assert lab.middle.backend("10.2.0.10:80")["state"] == "up"


def test_no_backend_is_refused_at_once(lab):
    text = re.sub(r'(address = "10.2.0.1[01]:80"\n)', r"\1weight = 0\n", lab.middle.toml())
    assert lab.middle.reload(text).returncode == 0
    report = churn(lab, seconds=5, connections=50)
    assert report["refused"] == 50 and report["stalls"] == 0


IDLE_CLIENT = f"""
import http.client
peer = http.client.HTTPConnection("{VIP}", 8080, timeout=20, source_address=("10.1.1.7", 0))
peer.request("GET", "/")
peer.getresponse().read()
try:
    print("end of file" if peer.sock.recv(1) == b"" else "data")
except ConnectionResetError:
    print("reset")
"""


def reset_by_sluice(lab):
    return sum(row["timeouts"] for row in lab.middle.show("backends"))


def test_an_idle_flow_is_reset_at_both_ends(lab):
    before = reset_by_sluice(lab)
    short = table("tcp_timeouts", established=2, closed=2)
    assert lab.middle.reload(lab.middle.toml() + short).returncode == 0
    assert lab.client.run("/usr/bin/python3", "-c", IDLE_CLIENT, timeout=30).strip() == "reset"
    for backend in lab.backends:
        assert "10.2.0.1" not in backend.run("ss", "-Htn", "state", "established")
    assert reset_by_sluice(lab) == before + 1
    wait_until(lambda: lab.middle.worker_sum("flows") == 0, 15, "the flow is still there")


def test_no_flow_is_left_after_a_churn(lab):
    # A closed flow stays for a while, for what may still be on its way.
    short = table("tcp_timeouts", closed=2)
    assert lab.middle.reload(lab.middle.toml() + short).returncode == 0
    assert_all_well(churn(lab, seconds=2))
    wait_until(lambda: lab.middle.worker_sum("flows") == 0, 60, "flows are left")
    assert lab.middle.pool_sum("in_use") == 0


def test_a_second_start_is_refused(lab):
    second = run_sluice("--config", lab.middle.config, command=lab.middle.command)
    assert second.returncode != 0 and "sluice.sock" in second.stdout
    assert_all_well(churn(lab, seconds=1))


def test_sigterm_stops_in_order(lab):
    assert_all_well(churn(lab, seconds=1))
    lab.middle.process.send_signal(signal.SIGTERM)
    assert lab.middle.process.wait(10) == 0
    assert not (lab.middle.work / "sluice.sock").exists()


def test_the_vip_answers_ping(lab):
    assert " 0% packet loss" in lab.client.run("ping", "-c3", "-i0.2", "-W2", VIP)
    assert " 0% packet loss" in lab.client.run("ping", "-c3", "-i0.2", "-W2", "10.1.255.254")
