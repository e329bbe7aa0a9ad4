# SPDX-License-Identifier: BSD-3-Clause
"""A SYN that cannot be served: the client gets a RST, or silence where that is configured."""

import pytest

from balancer import Balancer
from conversation import Talk
from lab_kit.configuration import Configuration

FLOWS_MAX = 64  # the smallest table that can be configured

SERVICE_KEYS = {"reset": (), "drop": (("on_refusal", "drop"),)}


@pytest.fixture(scope="module")
def sluice(links):
    """Each test here has a configuration of its own; one Sluice at a time."""
    running = []

    def start(**changes):
        while running:
            assert running.pop().stop() == 0
        running.append(Balancer(links, Configuration(count=4, **changes)))
        return running[0]
    yield start
    while running:
        assert running.pop().stop() == 0


@pytest.fixture
def wire(links):
    yield links
    links.settle()
    assert not any(side.inbox for side in links.sides)


def is_refused(talk, sluice, on_refusal, reason):
    """The named counter moves by one for each SYN, and the service's `refused` with it."""
    before = refused(sluice, talk.service)
    if on_refusal == "reset":
        with sluice.counts(resets_to_clients=1, **{reason: 1}):
            syn = talk.client.sends("S", b"with data")
            talk.client.gets_reset(seq=0, ack=syn.end)
    else:
        with sluice.counts(**{reason: 1}):
            talk.client.sends("S")
            talk.client.gets_nothing()
    assert refused(sluice, talk.service) == before + 1


def refused(sluice, service):
    (row,) = [row for row in sluice.show("services") if row["name"] == service.name]
    return row["refused"]


@pytest.mark.parametrize("on_refusal", ["reset", "drop"])
def test_no_backend(wire, sluice, on_refusal):
    """All of them drain."""
    running = sluice(service_keys=SERVICE_KEYS[on_refusal], backend_keys=(("weight", 0),))
    is_refused(Talk(wire, running.fresh_service()), running, on_refusal, "no_backend")


@pytest.mark.parametrize("on_refusal", ["reset", "drop"])
def test_draining(wire, sluice, on_refusal):
    """What the drain says counts, not what the service says. Flows go on, their SYNs too."""
    other = {"reset": "drop", "drop": "reset"}[on_refusal]
    running = sluice(service_keys=SERVICE_KEYS[other])
    flow = Talk(wire, running.fresh_service()).opens()
    running.ctl("drain", *(["--drop-syns"] if on_refusal == "drop" else []))
    is_refused(Talk(wire, running.fresh_service()), running, on_refusal, "draining")
    flow.chats()
    running.ctl("undrain")
    Talk(wire, running.fresh_service()).opens().chats()


@pytest.mark.parametrize("on_refusal", ["reset", "drop"])
def test_no_port(wire, sluice, on_refusal):
    running = sluice(service_keys=SERVICE_KEYS[on_refusal])
    service = running.fresh_service()
    flow = Talk(wire, service).opens()
    is_refused(Talk(wire, service), running, on_refusal, "ports_exhausted")
    flow.chats()
    flow.client_closes_first()
    Talk(wire, service).opens().chats()


@pytest.mark.parametrize("on_refusal", ["reset", "drop"])
def test_no_flow_entry(wire, sluice, on_refusal):
    running = sluice(service_keys=SERVICE_KEYS[on_refusal], ports=100,
                     limits=(("flows_per_worker", FLOWS_MAX),))
    service = running.fresh_service()
    flows = [Talk(wire, service).opens() for _ in range(FLOWS_MAX)]
    is_refused(Talk(wire, service), running, on_refusal, "flow_table_full")
    flows[0].chats()
    # One that is over makes room, though late segments might still have come for it.
    flows[1].client_closes_first()
    with running.counts(flows_evicted=1, flows_opened=1):
        anew = Talk(wire, service).opens()
    anew.chats()
    flows[2].chats()


def test_more_next_hops_than_can_be_remembered(wire, sluice):
    running = sluice(ports=100,
                     limits=(("flows_per_worker", 4096), ("neighbours_per_worker", 16)))
    service = running.fresh_service()
    # The backend and the gateway keep their entries; the clients make way for each other.
    flows = [Talk(wire, service, f"10.1.99.{i}").opens().chats() for i in range(1, 31)]
    assert running.counters()["neighbours_evicted"] > 10
    for flow in flows:
        flow.chats()


def test_full_stores_do_not_refuse(wire, sluice):
    """SYNs that could not be kept go on; they could only not be healed."""
    running = sluice(ports=100,
                     limits=(("flows_per_worker", 4096), ("syns_per_worker", 16)))
    service = running.fresh_service()
    waiting = [Talk(wire, service) for _ in range(20)]
    with running.counts(syns_not_kept=4, flows_opened=20):
        for talk in waiting:
            talk.backend.gets(talk.client.sends("S"))
    for talk in waiting:
        talk.is_answered().chats()
