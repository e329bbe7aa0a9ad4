# SPDX-License-Identifier: BSD-3-Clause
"""dpdk-telemetry.py on a running Sluice."""

import json
import os

import pytest

from lab_kit.load import churn
from lab_kit.middles import Sluice
from lab_kit.toml import add_keys
from lab_kit.topology import lab_with
from lab_kit.witness import assert_all_well

PREFIX = f"lab{os.getpid()}"  # other DPDK programs may run on this machine


def ask(lab, command):
    """What dpdk-telemetry.py prints for a command."""
    out = lab.balancer.run("dpdk-telemetry.py", "-f", PREFIX, input=command + "\n")
    answers = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    return answers[-1][command.split(",")[0]]


@pytest.fixture(scope="module")
def lab():
    def own_prefix(text):
        return add_keys(text, "eal", args=[f"--file-prefix={PREFIX}"])
    with lab_with(Sluice(edit=own_prefix)) as lab:
        yield lab


def test_telemetry_has_what_sluicectl_has(lab):
    assert_all_well(churn(lab, seconds=10, connections=300))
    assert "/sluice/backends" in ask(lab, "/sluice")
    rows = lab.middle.show("backends")
    assert ask(lab, "/sluice/backends") == [
        f"{row['service']} {row['vip']} {row['protocol']} {row['address']}" for row in rows]
    for number, row in enumerate(rows):
        answer = ask(lab, f"/sluice/backends,{number}")
        assert answer["connections"] == row["connections"]
        assert answer["state"] == "up"
    assert ask(lab, "/sluice/counters")["flows_opened"] == lab.middle.counters()["flows_opened"]
    assert ask(lab, "/sluice/interfaces,0")["name"] == "client"
    assert ask(lab, "/sluice/backends,77") is None
    assert ask(lab, "/sluice/backends,x") is None
    assert ask(lab, "/ethdev/list") == [0, 1]
