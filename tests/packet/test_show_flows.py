# SPDX-License-Identifier: BSD-3-Clause
"""`sluicectl show flows` finds flows by client, backend, service, state and age, or says what is
wrong."""

import json

import pytest

from conversation import Talk
from lab_kit.configuration import Configuration

CONFIG = Configuration(count=2, ports=4)


def found(sluice, *words):
    answer = json.loads(sluice.ctl("--json", "show", "flows", *words))
    assert not answer["more"]
    return {row["client"] for row in answer["flows"]}


def test_flows_are_found(wire, sluice):
    service, other = sluice.fresh_service(), sluice.fresh_service()
    talks = [Talk(wire, service, "10.1.3.7").opens(), Talk(wire, service, "10.1.4.8").opens(),
             Talk(wire, other, "10.1.3.7").opens()]
    first, second, third = (str(talk.client.address) for talk in talks)
    backend = str(service.backends[0])
    assert found(sluice) >= {first, second, third}
    assert found(sluice, "--client", first) == {first}
    assert found(sluice, "--client", "10.1.3.7") == {first, third}
    assert found(sluice, "--client", "10.1.0.0/16", "--service", service.name) == {first, second}
    assert found(sluice, "--service", other.name, "--backend", backend) == {third}
    assert found(sluice, "--client", "10.1.4.8", "--state", "established") == {second}
    assert found(sluice, "--client", "10.1.4.8", "--state", "syn_sent") == set()
    assert found(sluice, "--client", "10.1.4.8", "--age-min", "3600") == set()
    assert found(sluice, "--client", "10.1.4.8", "--age-max", "3600") == {second}


@pytest.mark.parametrize("words, said", [
    (["--client", "10.1.3"], "expected"), (["--backend", "10.2.0.10:0"], "1..65535"),
    (["--service", "s9"], "there is no service"),
    (["--state", "open"], "expected one of syn_sent")])
def test_what_cannot_be_meant_is_said(sluice, words, said):
    done = sluice.ctl_run("show", "flows", *words)
    assert done.returncode == 1 and said in done.stderr
    assert done.stderr.count("\n") == 1
