# SPDX-License-Identifier: BSD-3-Clause
"""The flow log on real connections: a line for each, through rotations, and bounded."""

import json
import os
import signal
import subprocess
from collections import Counter

import pytest

from lab_kit.addresses import VIP
from lab_kit.load import churn
from lab_kit.middles import Sluice, ports_from
from lab_kit.process import wait_until
from lab_kit.toml import set_key, table
from lab_kit.topology import lab_with
from lab_kit.witness import assert_all_well


class Logging(Sluice):
    def __init__(self, ports, name="flows.log"):
        super().__init__(
            ports, edit=lambda text: text + table("flow_log", file=self.file, sample=1))
        self.name = name

    @property
    def file(self):
        return self.work / self.name

    def lines(self, name="flows.log"):
        whole, _, _ = (self.work / name).read_text().rpartition("\n")
        return [json.loads(line) for line in whole.splitlines()]


@pytest.fixture
def lab():
    with lab_with(Logging(ports_from(200))) as lab:
        yield lab


def written(lab, count, *names):
    """Waits until so many lines are there, and gives them."""
    def lines():
        return [line for name in names or ["flows.log"] for line in lab.middle.lines(name)]
    wait_until(lambda: len(lines()) >= count, 5, f"{len(lines())} lines, not {count}")
    return lines()


def test_a_line_for_each_connection(lab):
    report = churn(lab, seconds=30, connections=2000)
    assert_all_well(report)
    lines = written(lab, 2000)
    assert len(lines) == 2000
    assert {(line["service"], line["closed_by"], line["reason"]) for line in lines} == \
        {("web", "backend_fin", "closed")}
    assert {line["vip"] for line in lines} == {f"{VIP}:80"}
    assert Counter(line["backend"] for line in lines) == \
        {"10.2.0.10:80": 1000, "10.2.0.11:80": 1000}
    sizes = {(line["bytes_in"], line["bytes_out"] > 260) for line in lines}
    assert len(sizes) == 1 and sizes.pop()[1], sizes
    # 400 tuples for 2,000 connections: fresh once each, then again in TIME_WAIT, fixed if need be.
    ports = Counter(line["port"] for line in lines)
    assert ports["fresh"] == 400 and ports["rebased"] > 0
    assert all((line["fix"] != "none") == (line["port"] == "rebased") for line in lines)
    assert all(line["end"] >= line["start"] for line in lines)

    churn(lab, close="reset", seconds=10, connections=50)
    lines = written(lab, 2050)[2000:]
    assert {(line["service"], line["closed_by"], line["reason"]) for line in lines} == \
        {("keepalive", "client_rst", "reset")}


def test_rotation_loses_nothing(lab):
    for i in range(3):
        churn(lab, seconds=10, connections=300)
        lab.middle.file.rename(lab.middle.work / f"flows.log.{i}")
        lab.middle.process.send_signal(signal.SIGUSR1)
        wait_until(lab.middle.file.exists, 5, "no new file")
    assert len(written(lab, 900, *(f"flows.log.{i}" for i in range(3)))) == 900


def test_reload_changes_and_ends_it(lab):
    text = lab.middle.config.read_text()
    assert lab.middle.reload(set_key(text, "sample", 10)).returncode == 0
    churn(lab, seconds=10, connections=500)
    assert len(written(lab, 50)) == 50
    refused = lab.middle.reload(set_key(text, "file", "/nonexistent/flows"))
    assert refused.returncode != 0 and "No such file" in refused.stderr
    assert lab.middle.reload(text.partition("[flow_log]")[0]).returncode == 0
    assert_all_well(churn(lab, seconds=10, connections=100))
    assert len(lab.middle.lines()) == 50


class Piping(Logging):
    """Into a pipe, which somebody holds open from before Sluice starts."""

    def __init__(self, ports, read):
        super().__init__(ports, "pipe")
        self.read = read

    def start(self, lab):
        (lab.work / "sluice").mkdir()
        os.mkfifo(lab.work / "sluice" / "pipe")
        self.reader = self.read(lab.work / "sluice" / "pipe")
        super().start(lab)


def test_a_pipe_and_its_reader():
    def read(pipe):
        return subprocess.Popen(["cat", pipe], stdout=open(f"{pipe}.log", "w"))

    with lab_with(Piping(ports_from(200), read)) as lab:
        assert_all_well(churn(lab, seconds=10, connections=200))
        assert len(written(lab, 200, "pipe.log")) == 200
        assert lab.middle.reload(lab.middle.config.read_text()).returncode == 0
        assert_all_well(churn(lab, seconds=10, connections=200))
        assert len(written(lab, 400, "pipe.log")) == 400
        lab.middle.reader.kill()
        lab.middle.reader.wait()


def test_a_pipe_that_takes_nothing_is_bounded_and_counted():
    """Nobody reads: traffic goes on, what does not fit is counted."""
    def read(pipe):
        return os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)

    with lab_with(Piping(ports_from(2000), read)) as lab:
        report = churn(lab, seconds=30, connections=12_000)
        counted = lab.middle.counters()
        os.close(lab.middle.reader)
    assert_all_well(report)
    assert counted["flow_log_dropped"] > 0
    assert counted["flows_logged"] + counted["flow_log_dropped"] == 12_000
