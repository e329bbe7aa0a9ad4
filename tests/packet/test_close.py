# SPDX-License-Identifier: BSD-3-Clause
"""How connections end, and what each end leaves of the port: free at once, or resting."""

import pytest

from conversation import Talk
from lab_kit.configuration import Configuration

CONFIG = Configuration(count=40)


@pytest.fixture
def port(sluice, service):
    """Where the one port of the test's service is."""
    def place():
        row = sluice.pool_of(service)
        (name,) = [name for name in ("available", "time_wait", "in_use") if row[name]]
        return name
    return place


def test_the_client_first(flow, port):
    assert port() == "in_use"
    flow.client_closes_first()
    assert port() == "available"


def test_the_client_first_and_the_backend_waits(flow, port):
    """LAST_ACK after CLOSE_WAIT: its FIN comes after it has acknowledged the client's."""
    flow.backend.gets(flow.client.sends("FA"))
    flow.client.gets(flow.backend.sends("A"))
    flow.client.gets(flow.backend.sends("FA"))
    flow.backend.gets(flow.client.sends("A"))
    assert port() == "available"


def test_the_backend_first(flow, port):
    flow.backend_closes_first()
    assert port() == "time_wait"


def test_the_backend_first_with_data_on_every_fin(flow, port):
    flow.client.gets(flow.backend.sends("FPA", b"last words"))
    flow.backend.gets(flow.client.sends("A"))
    flow.backend.gets(flow.client.sends("FPA", b"mine too"))
    flow.client.gets(flow.backend.sends("A"))
    assert port() == "time_wait"


def test_both_at_once(flow, port):
    """Each FIN is sent before the other's is seen: the backend goes through CLOSING."""
    from_client = flow.client.sends("FA")
    from_backend = flow.backend.sends("FA")
    flow.backend.gets(from_client)
    flow.client.gets(from_backend)
    flow.backend.gets(flow.client.sends("A"))
    flow.client.gets(flow.backend.sends("A"))
    assert port() == "time_wait"


def test_both_at_once_the_other_way_round(flow, port):
    from_backend = flow.backend.sends("FA")
    from_client = flow.client.sends("FA")
    flow.client.gets(from_backend)
    flow.backend.gets(from_client)
    flow.client.gets(flow.backend.sends("A"))
    flow.backend.gets(flow.client.sends("A"))
    assert port() == "time_wait"


def test_a_half_close_by_the_client(flow, port):
    """A request, its end, and then a long answer."""
    flow.backend.gets(flow.client.sends("FPA", b"request"))
    for _ in range(20):
        flow.client.gets(flow.backend.sends("PA", b"a piece of the answer"))
        flow.backend.gets(flow.client.sends("A"))
    assert port() == "in_use"
    flow.client.gets(flow.backend.sends("FA"))
    flow.backend.gets(flow.client.sends("A"))
    assert port() == "available"


def test_a_half_close_by_the_backend(flow, port):
    flow.client.gets(flow.backend.sends("FA"))
    for _ in range(20):
        flow.backend.gets(flow.client.sends("PA", b"a long upload"))
        flow.client.gets(flow.backend.sends("A"))
    assert port() == "in_use"
    flow.backend.gets(flow.client.sends("FA"))
    flow.client.gets(flow.backend.sends("A"))
    assert port() == "time_wait"


def test_a_fin_is_not_the_end_before_it_is_acknowledged(flow, port):
    flow.backend.gets(flow.client.sends("FA"))
    flow.client.gets(flow.backend.sends("FA"))
    assert port() == "in_use"
    flow.backend.gets(flow.client.sends("A"))
    assert port() == "available"


def test_a_connection_that_is_closed_before_it_is_open(talk, port):
    """The client's FIN comes with its first ACK."""
    talk.backend.gets(talk.client.sends("S"))
    talk.client.gets(talk.backend.sends("SA"))
    talk.backend.gets(talk.client.sends("FA"))
    talk.client.gets(talk.backend.sends("FA"))
    talk.backend.gets(talk.client.sends("A"))
    assert port() == "available"


def test_a_rst_of_the_client(flow, port):
    flow.chats()
    flow.backend.gets(flow.client.sends("RA"))
    assert port() == "available"


def test_a_rst_of_the_backend(flow, port):
    flow.chats()
    flow.client.gets(flow.backend.sends("R", options=b""))
    assert port() == "available"


def test_a_rst_instead_of_the_handshakes_end(talk, port):
    talk.backend.gets(talk.client.sends("S"))
    talk.client.gets(talk.backend.sends("SA"))
    talk.backend.gets(talk.client.sends("R", options=b""))
    assert port() == "available"


def test_a_backend_that_refuses(talk, sluice, port):
    talk.backend.gets(talk.client.sends("S"))
    with sluice.counts(backend_refusals=1):
        talk.client.gets(talk.backend.sends("RA", seq=0, options=b""))
    assert port() == "available"


def test_a_client_that_gives_up_before_the_answer(talk, port):
    """RST of a client whose connect() was interrupted."""
    talk.backend.gets(talk.client.sends("S"))
    talk.backend.gets(talk.client.sends("R", options=b""))
    assert port() == "available"


def test_a_client_that_gives_up_on_a_tuple_in_time_wait(wire, flow, service, port):
    """Nobody has said that the backend let go of it."""
    old = flow.chats().backend_closes_first()
    anew = Talk(wire, service, isn=old.client.next + 9, tsval=old.client.clock + 9)
    anew.backend.gets(anew.client.sends("S"))
    anew.backend.gets(anew.client.sends("R", options=b""))
    assert port() == "time_wait"


def test_a_rst_of_the_client_after_the_backends_fin(flow, port):
    """TIME_WAIT may survive a RST (RFC 1337), so the port rests."""
    flow.client.gets(flow.backend.sends("FA"))
    flow.backend.gets(flow.client.sends("FA"))
    flow.backend.gets(flow.client.sends("R", options=b""))
    assert port() == "time_wait"


def test_a_closed_port_is_used_again(wire, flow, service, sluice):
    """Fifty connections one after the other through one port."""
    flow.client_closes_first()
    for i in range(50):
        Talk(wire, service, isn=i * 77_777_777).opens().client_closes_first()
    assert sluice.pool_of(service)["reuse_available"] == 50
