# SPDX-License-Identifier: BSD-3-Clause
"""Segments that belong to no connection are answered as a host would answer them (RFC 9293,
section 3.10.7.1)."""

import pytest

from conversation import Talk
from lab_kit.addresses import VIP, Endpoint
from lab_kit.configuration import Configuration
from segment import Segment, assert_same_frame, reset

CONFIG = Configuration(count=8)
CLIENT = Endpoint("10.1.60.1", 33333)
BACKEND = Endpoint("10.2.0.10", 80)


def exchange(wire, side, segment):
    """Sends it in its source's name; returns what Sluice answers, if it does."""
    mac = side.mac_of(segment.src.ip)
    side.puts(segment.frame(mac, side.mac))
    wire.settle()
    frames = list(side.inbox)
    side.inbox.clear()
    return frames


def assert_reset(wire, side, segment, seq, ack=None):
    (frame,) = exchange(wire, side, segment)
    expected = reset(segment.dst, segment.src, seq, ack)
    assert_same_frame(frame, expected.frame(side.mac, side.mac_of(segment.src.ip)))


CASES = {  # flags, data -> with ACK: RST at its number; without: RST that acknowledges it
    "ack": ("A", b"", (0x22222222, None)),
    "data": ("PA", b"hello", (0x22222222, None)),
    "fin": ("FA", b"", (0x22222222, None)),
    "syn-ack": ("SA", b"", (0x22222222, None)),
    "fin without ack": ("F", b"", (0, 0x11111112)),
    "urgent": ("UA", b"u", (0x22222222, None)),
}


@pytest.mark.parametrize("flags, data, answer", CASES.values(), ids=CASES)
def test_of_a_client(wire, sluice, flags, data, answer):
    service = sluice.configuration.services()[0]
    segment = Segment(CLIENT, service.vip, flags, 0x11111111, 0x22222222, data=data,
                      padding=b"\xee" * 6)
    with sluice.counts(no_flow_inbound=1, resets_to_clients=1):
        assert_reset(wire, wire.client, segment, *answer)


@pytest.mark.parametrize("flags, data, answer",
                         [*CASES.values(), ("S", b"", (0, 0x11111112)),
                          ("S", b"data", (0, 0x11111116))], ids=[*CASES, "syn", "syn with data"])
def test_of_a_backend(wire, sluice, flags, data, answer):
    segment = Segment(BACKEND, Endpoint("10.2.1.1", 5000), flags, 0x11111111, 0x22222222, data=data)
    with sluice.counts(no_flow_outbound=1, resets_to_backends=1):
        assert_reset(wire, wire.backend, segment, *answer)


@pytest.mark.parametrize("destination", [Endpoint(VIP, 9), Endpoint("10.1.255.254", 80)], ids=str)
def test_where_no_service_listens(wire, sluice, destination):
    with sluice.counts(no_service=1, resets_to_clients=1):
        assert_reset(wire, wire.client, Segment(CLIENT, destination, "S", 5, padding=b"\0" * 6),
                     0, 6)


@pytest.mark.parametrize("flags", ["R", "RA"])
def test_a_rst_is_never_answered(wire, sluice, flags):
    service = sluice.configuration.services()[0]
    with sluice.counts(no_flow_inbound=1):
        assert exchange(wire, wire.client, Segment(CLIENT, service.vip, flags, 1, 2)) == []
    with sluice.counts(no_flow_outbound=1):
        local = Endpoint(service.local, 5000)
        assert exchange(wire, wire.backend, Segment(BACKEND, local, flags, 1, 2)) == []


def test_a_client_that_speaks_to_the_local_address(wire, sluice):
    """It is ours, but no service: to strangers it is a host where nobody listens."""
    with sluice.counts(no_flow_outbound=1, resets_to_backends=1):
        assert_reset(wire, wire.client, Segment(CLIENT, Endpoint("10.2.1.1", 5000), "S", 5), 0, 6)


def test_another_host_that_uses_a_flows_port(flow, wire, sluice):
    """The flow is the whole tuple: an answer from another backend's address is none."""
    stranger = Endpoint("10.2.0.11", 80)
    with sluice.counts(no_flow_outbound=1, resets_to_backends=1):
        assert_reset(wire, wire.backend, Segment(stranger, flow.local, "SA", 1, 2), 2)
    flow.chats()


def test_a_service_is_reachable_from_the_backends_side(wire, service):
    """A backend that is itself a client of a VIP: what counts is the address, not the port it
    came in by."""
    talk = Talk(wire, service, "10.2.33.3")
    talk.client.side = wire.backend
    talk.opens().chats().client_closes_first()
