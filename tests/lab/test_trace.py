# SPDX-License-Identifier: BSD-3-Clause
"""sluicectl trace on real connections: why a client's connection failed, and where it goes."""

import pytest

from lab_kit.load import churn
from lab_kit.middles import Sluice, ports_from
from lab_kit.process import wait_until
from lab_kit.topology import lab_with
from lab_kit.trace import CLIENT, connect, trace


@pytest.fixture(scope="module")
def lab():
    with lab_with(Sluice(ports_from(16))) as lab:
        yield lab


def test_a_connection_from_end_to_end(lab):
    with trace(lab, "--json", "--client", CLIENT, "--service", "web") as rows:
        assert connect(lab, 80) == 0
    first, answer = rows[:2]
    assert first["from"] == "client" and first["in"]["flags"] == "SYN"
    assert first["before"] is None and first["after"]["state"] == "syn_sent"
    assert first["after"]["port"] == "fresh" and first["verdict"] == "sent"
    assert first["out"]["source"] == first["after"]["local"]
    assert first["out"]["destination"] == first["after"]["backend"]
    assert first["out"]["tsval"] == first["in"]["tsval"]
    assert "flows_opened" in first["counted"]
    assert answer["from"] == "backend" and answer["in"]["flags"] == "SYN,ACK"
    assert answer["after"]["state"] == "syn_received"
    assert rows[-1]["after"]["state"] in ("time_wait", "closed")
    assert [row["number"] for row in rows] == list(range(1, len(rows) + 1))
    assert sum(row["in"]["payload_bytes"] for row in rows if row["from"] == "client") > 0


def test_a_fix_is_seen_and_others_are_not(lab):
    """Every tuple is in TIME_WAIT when the traced client comes."""
    churn(lab, seconds=10, connections=200)
    with trace(lab, "--json", "--client", CLIENT) as rows:
        churn(lab, seconds=10, connections=100)
        assert connect(lab, 80) == 0
    syns = [row for row in rows if row["in"]["flags"] == "SYN"]
    assert syns and {row["in"]["source"].split(":")[0] for row in syns} == {CLIENT}
    assert {row["after"]["port"] for row in syns} <= {"natural", "rebased"}
    for row in syns:
        shift = (row["out"]["tsval"] - row["in"]["tsval"]) % 2**32
        assert shift == row["after"]["ts_offset"] % 2**32


def test_why_a_connection_fails(lab):
    web = [row["address"] for row in lab.middle.show("backends") if row["service"] == "web"]
    for backend in web:
        lab.middle.ctl("backend", "set", "web", backend, "--down")
    try:
        with trace(lab, "--client", CLIENT) as rows:
            assert connect(lab, 80) != 0
    finally:
        lab.middle.ctl("backend", "clear", "--all")
    assert "dropped, no_backend: a new flow for a service without a usable backend" in rows.text
    assert "resets_to_clients" in rows.text and "looked up  no flow" in rows.text


def test_it_ends_by_itself_and_when_nobody_reads(lab):
    with trace(lab, "--json", "--client", CLIENT, "--count", "3") as rows:
        connect(lab, 80)
    assert len(rows) == 3
    busy = lab.middle.ctl_start("trace", "--client", CLIENT)
    assert busy.stderr.readline().startswith("tracing ")
    second = ["trace", "--client", CLIENT, "--seconds", "1"]
    refused = lab.middle.ctl_run(*second)
    assert refused.returncode == 1 and f"{CLIENT} is being traced" in refused.stderr
    busy.kill()
    busy.communicate()
    wait_until(lambda: lab.middle.ctl_run(*second).returncode == 0, 15, "it goes on for nobody")


def test_bad_requests_are_refused(lab):
    for words, complaint in ((("--client", "10.1.0"), "expected"),
                             (("--client", CLIENT, "--service", "wep"),
                              'no service "wep"; the nearest: web'),
                             (("--client", CLIENT, "--count", "0"), "--count")):
        refused = lab.middle.ctl_run("trace", *words)
        assert refused.returncode != 0 and complaint in refused.stderr, refused.stderr
