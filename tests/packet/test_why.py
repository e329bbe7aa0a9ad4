# SPDX-License-Identifier: BSD-3-Clause
"""`sluicectl why`: what has become of a client's handshakes, asked when it is all over."""

import json

import pytest

from conversation import Talk
from lab_kit.configuration import Configuration

CONFIG = Configuration(count=8, ports=2, reuse="rebase")


def why(sluice, client, *words):
    return json.loads(sluice.ctl("--json", "why", "--client", client, *words))["why"]


def test_a_backend_that_refuses(wire, sluice, service):
    talk = Talk(wire, service, "10.1.5.1")
    syn = talk.client.sends("S")
    talk.backend.gets(syn)
    talk.client.gets(talk.backend.sends("RA"))
    (row,) = why(sluice, talk.client.address)
    assert row["outcome"] == "refused" and row["reason"] == "refused"
    assert row["verdict"] == "ended" and row["closed_by"] == "backend_rst"
    assert row["in"]["flags"] == "RST,ACK" and row["in"]["source"] == str(talk.backend.address)
    assert row["before"]["state"] == "syn_sent" and row["before"]["local"] == str(talk.local)
    assert row["syn_seq"] == syn.seq and row["vip"] == str(service.vip)
    text = sluice.ctl("why", "--client", "10.1.5.0/24", "--service", service.name, "--since", "2m")
    assert f"tcp {talk.client.address} to {service.vip}, worker 0: refused" in text
    assert "ended, refused: the backend, or a router on the way, refused the SYN" in text


def test_a_syn_without_a_backend(wire, sluice, service):
    talk = Talk(wire, service, "10.1.5.2")
    sluice.ctl("backend", "set", service.name, str(service.backends[0]), "--down")
    syn = talk.client.sends("S")
    talk.client.gets_reset(seq=0, ack=syn.end)
    sluice.ctl("backend", "clear", "--all")
    (row,) = why(sluice, "10.1.5.2")
    assert row["verdict"] == "dropped" and row["reason"] == "no_backend"
    assert row["from"] == "client" and row["in"]["seq"] == syn.seq and row["before"] is None
    shown = sluice.show("workers")[0]
    assert shown["why_kept"] >= 1
    assert sluice.counters()["why_noted"] >= 1


def test_what_went_well_is_not_there(wire, sluice, service):
    Talk(wire, service, "10.1.5.3").opens().chats().client_closes_first()
    assert why(sluice, "10.1.5.3") == []
    assert "no handshake of 10.1.5.3" in sluice.ctl("why", "--client", "10.1.5.3")


def test_a_segment_of_a_connection_that_is_not_known(wire, sluice, service):
    talk = Talk(wire, service, "10.1.5.4")
    data = talk.client.sends("PA", b"hello")
    talk.client.gets_reset(seq=data.ack)
    (row,) = why(sluice, "10.1.5.4")
    assert row["outcome"] == "reset" and row["reason"] == "no_flow_inbound"


@pytest.mark.parametrize("words, status, said", [
    (["--client", "10.1.5"], 1, "expected"), ([], 2, "--client"),
    (["--client", "10.1.5.1", "--since", "x"], 2, "10m"),
    (["--client", "10.1.5.1", "--service", "nobody"], 1, "there is no service")])
def test_what_cannot_be_meant_is_said(sluice, words, status, said):
    done = sluice.ctl_run("why", *words)
    assert done.returncode == status and said in done.stderr
