# SPDX-License-Identifier: BSD-3-Clause
"""What the packet tests share: the wire, and the Sluice that a module's CONFIG asks for."""

import os

import pytest

pytest.register_assert_rewrite("balancer", "conversation", "wire")

from balancer import Balancer
from conversation import Talk
from lab_kit.checkout import what_is_missing
from lab_kit.configuration import Configuration
from lab_kit.process import SHARED_CORE
from wire import Wire


def pytest_sessionstart(session):
    if missing := what_is_missing("sluice", "sluicectl"):
        pytest.exit(missing, 2)
    os.sched_setaffinity(0, {SHARED_CORE})


@pytest.fixture(scope="session")
def links():
    wire = Wire()
    yield wire
    wire.close()


@pytest.fixture(scope="module")
def sluice(request, links):
    """Sluice with the module's CONFIG; it stops in order, or the module's tests have failed."""
    balancer = Balancer(links, getattr(request.module, "CONFIG", Configuration()))
    yield balancer
    assert balancer.stop() == 0, balancer.last_log


@pytest.fixture
def wire(links, sluice):
    """The links for one test. What nobody asked for by its end is a mistake of somebody."""
    yield links
    assert sluice.is_up(), sluice.log()
    links.settle()
    left = [frame.hex() for side in links.sides for frame in side.inbox]
    links.hears_only()
    for side in links.sides:
        side.inbox.clear()
    assert not left, "frames arrived that the test did not expect"


@pytest.fixture
def service(sluice):
    return sluice.fresh_service()


@pytest.fixture
def talk(wire, service):
    """A connection that is yet to be opened, on a service of its own."""
    return Talk(wire, service)


@pytest.fixture
def flow(talk):
    """A connection that is open."""
    return talk.opens()
