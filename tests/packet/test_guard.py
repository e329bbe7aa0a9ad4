# SPDX-License-Identifier: BSD-3-Clause
"""The guard time of a clean port, and the order in which ports come back."""

from conversation import Talk
from lab_kit.configuration import Configuration

# Long enough for no port to leave it while a test runs.
CONFIG = Configuration(reuse="natural", count=8, ports=4, guard_ms=60_000)


def test_a_clean_port_in_its_guard_is_not_taken(wire, sluice, service):
    for i in range(4):
        Talk(wire, service).opens().client_closes_first()
    with sluice.counts(ports_exhausted=1, resets_to_clients=1):
        refused = Talk(wire, service)
        refused.client.sends("S")
        refused.client.gets_reset(seq=0, ack=refused.client.next)


def test_every_port_serves_once_before_any_comes_back(wire, service):
    first, last = service.ports
    taken = [Talk(wire, service).opens().client_closes_first().local.port for _ in range(4)]
    assert sorted(taken) == list(range(first, last + 1))


def test_the_first_order_is_random(wire, sluice):
    """Four services of four ports in the same order would be one chance in 13,824."""
    orders = {tuple(Talk(wire, service).opens().local.port for _ in range(4))
              for service in [sluice.fresh_service() for _ in range(4)]}
    assert len(orders) > 1
