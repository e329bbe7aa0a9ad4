# SPDX-License-Identifier: BSD-3-Clause
"""What the packet tests share: the wire, and the Sluice that a module's CONFIG asks for."""

import os

import pytest

pytest.register_assert_rewrite("balancer", "conversation", "wire")

from balancer import Balancer, is_accepted
from conversation import Talk
from lab_kit.configuration import Configuration
from lab_kit.middles import build_dir
from wire import Wire

TESTS_CORE = 0  # the worker polls core 1


def pytest_sessionstart(session):
    if os.geteuid() != 0:
        pytest.exit("the tests make a network namespace: run as root", 2)
    for program in ("sluice", "sluicectl"):
        if not (build_dir() / "control" / program).exists():
            pytest.exit(f"{build_dir() / 'control' / program} is not built: run scripts/build", 2)
    os.sched_setaffinity(0, {TESTS_CORE})


@pytest.fixture(scope="session")
def links():
    wire = Wire()
    yield wire
    wire.close()


@pytest.fixture(scope="module")
def sluice(request, links):
    """Sluice with the module's CONFIG; it stops in order, or the module's tests have failed."""
    configuration = getattr(request.module, "CONFIG", Configuration())
    if not is_accepted(configuration):
        pytest.skip(f"this build of sluice does not accept the configuration of {request.module}")
    balancer = Balancer(links, configuration)
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
