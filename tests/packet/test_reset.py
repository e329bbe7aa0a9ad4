# SPDX-License-Identifier: BSD-3-Clause
"""Which RST ends a connection, which only passes, and which goes no further (RFC 5961)."""

import pytest

from lab_kit.configuration import Configuration

CONFIG = Configuration(count=40)


def is_open(flow):
    flow.chats(b"still here")
    return True


@pytest.mark.parametrize("sender", ["client", "backend"])
def test_at_the_expected_number(flow, sluice, service, sender):
    end, other = ends(flow, sender)
    other.gets(end.sends("R", options=b""))
    assert sluice.pool_of(service)["available"] == 1


@pytest.mark.parametrize("sender", ["client", "backend"])
def test_after_data_that_was_not_yet_acknowledged(flow, sluice, service, sender):
    """The receiver has it all by now, or it answers and the next RST is right."""
    end, other = ends(flow, sender)
    other.gets(end.sends("PA", b"x" * 100))
    other.gets(send_rst(end, end.next))
    assert sluice.pool_of(service)["available"] == 1


@pytest.mark.parametrize("sender", ["client", "backend"])
def test_in_the_middle_of_data(flow, sluice, service, sender):
    """No end sends it there."""
    end, other = ends(flow, sender)
    start = end.next
    other.gets(end.sends("PA", b"x" * 100))
    other.gets(send_rst(end, start + 50))
    assert sluice.pool_of(service)["in_use"] == 1
    end.gets(other.sends("A"))
    assert is_open(flow)


@pytest.mark.parametrize("sender", ["client", "backend"])
def test_behind_segments_of_a_stranger(flow, sluice, service, sender):
    """What comes from nowhere reaches the other end and moves nothing: no RST is let in by it."""
    end, other = ends(flow, sender)
    expects = other.expects
    for flags in ("A", "FA"):
        for ahead in range(0, 65_000, 5_000):
            wrong = (end.expects + 2**30 + ahead) % 2**32
            stray = end.would_send(flags, seq=(end.next + ahead) % 2**32, ack=wrong, options=b"")
            end.sends_again(stray)
            if sender == "client":
                other.gets(stray)
    if sender == "backend":
        other.gets_nothing()  # an acknowledgement that is impossible: dropped
    other.expects = expects  # it takes none of them
    other.gets(send_rst(end, end.next + 1000))
    assert sluice.pool_of(service)["in_use"] == 1
    (state,) = [row["state"] for row in sluice.show("flows") if service.local in row["local"]]
    assert state == "established" and is_open(flow)


@pytest.mark.parametrize("sender", ["client", "backend"])
def test_inside_the_window_but_not_at_its_start(flow, sluice, service, sender):
    """It passes, the peer answers with a challenge ACK, and the connection goes on."""
    end, other = ends(flow, sender)
    other.gets(send_rst(end, end.next + 500))
    end.gets(other.sends("A"))
    assert sluice.pool_of(service)["in_use"] == 1 and is_open(flow)


@pytest.mark.parametrize("sender", ["client", "backend"])
@pytest.mark.parametrize("offset", [-1, -1000, -2**30, 2**24, 2**31, 2**31 - 1])
def test_outside_the_window(flow, sluice, service, sender, offset):
    end, other = ends(flow, sender)
    with sluice.counts(rst_out_of_window=1):
        send_rst(end, end.next + offset)
        other.gets_nothing()
    assert sluice.pool_of(service)["in_use"] == 1 and is_open(flow)


def test_of_a_backend_at_a_wrong_number_of_the_handshake(talk, sluice):
    """Only a RST that acknowledges this SYN refuses it."""
    talk.backend.gets(talk.client.sends("S"))
    with sluice.counts(rst_out_of_window=2):
        talk.backend.sends("RA", seq=0, ack=talk.client.isn, options=b"")
        talk.backend.sends("R", seq=talk.client.isn + 1, options=b"")
        talk.client.gets_nothing()
    talk.is_answered().chats()


def test_its_data_is_passed(flow):
    """RFC 9293 allows a RST to say why."""
    flow.backend.gets(flow.client.sends("RA", b"because"))


def send_rst(end, seq):
    segment = end.would_send("R", seq=seq, options=b"")
    end.sends_again(segment)
    return segment


def ends(flow, sender):
    return (flow.client, flow.backend) if sender == "client" else (flow.backend, flow.client)
