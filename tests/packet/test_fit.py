# SPDX-License-Identifier: BSD-3-Clause
"""`reuse = "rebase"`: every SYN gets the tuple, fitted only as far as it must be.

There is one port, in TIME_WAIT. Whatever the client's numbers, Linux, FreeBSD and RFC 6191 stacks
must all take the SYN that arrives, and the connection must work from its first byte to its last.
"""

import random

import pytest

import options
from conversation import Talk, newer
from lab_kit.configuration import Configuration
from lab_kit.tcp_options import find_timestamps
from options import NOP, sack
from stacks import all_take, memory_of
from table import ROWS, WRAPS, leave_behind, new_numbers

CONFIG = Configuration(reuse="rebase", count=63)


def judge(talk, old, row):
    """The SYN is taken by all, and no number was touched that could stay."""
    syn = talk.client.sends("S")
    got = talk.backend.gets_fitted(syn)
    assert all_take(memory_of(old), got)
    assert (talk.shift.seq == 0) == newer(talk.client.isn, old.client.next)
    both = row.old_tsval is not None and row.tsval is not None
    assert (talk.shift.tsval == 0) == (not both or row.tsval >= 0)
    return talk


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_row(wire, sluice, service, row):
    old = leave_behind(Talk(wire, service, tsval=row.old_tsval))
    anew = judge(Talk(wire, service, **new_numbers(old, row)), old, row)
    anew.is_answered().chats().client_closes_first()
    pool = sluice.pool_of(service)
    assert pool["tsval_adjusts"] == (anew.shift.tsval != 0)
    assert pool["sequence_adjusts"] == (anew.shift.seq != 0)
    assert pool["reuse_natural"] == (anew.shift == (0, 0))


@pytest.mark.parametrize("row", [row for row in ROWS if not row.linux_takes][::3], ids=str)
@pytest.mark.parametrize("isn", WRAPS, ids=hex)
def test_a_row_at_the_wrap(wire, sluice, row, isn):
    """Numbers pass zero in the old connection, between the two, or in the new one."""
    service = wrap_service(sluice)
    tsval = None if row.old_tsval is None else isn
    old = leave_behind(Talk(wire, service, isn=isn, tsval=tsval, backend_tsval=isn))
    anew = judge(Talk(wire, service, **new_numbers(old, row)), old, row)
    anew.is_answered().chats().client_closes_first()


def wrap_service(sluice):
    """These need no fresh ledger: what came before them was closed by the client."""
    if not hasattr(sluice, "wrap_service"):
        sluice.wrap_service = sluice.fresh_service()
    return sluice.wrap_service


@pytest.fixture
def fitted(wire, service):
    """A connection whose sequence numbers and timestamps are both shifted, with its SYN's answer
    on the way."""
    old = leave_behind(Talk(wire, service))
    talk = Talk(wire, service, isn=old.client.next - 100_000, tsval=old.client.clock - 100_000)
    talk.opens(fitted=True)
    assert talk.shift.seq and talk.shift.tsval
    return talk


def test_timestamps_are_corrected_on_the_way_back(fitted):
    """The client gets back the very TSval that it sent: its RTT measurement is right."""
    sent = fitted.client.sends("PA", b"question", tsval=424_242)
    fitted.backend.gets(sent)
    got = fitted.client.gets(fitted.backend.sends("PA", b"answer"))
    assert find_timestamps(got.options)[1] == 424_242
    assert got.ack == sent.end


def test_sack_is_corrected_on_the_way_back(fitted):
    """The third of four segments is missing at the backend."""
    base = fitted.client.next
    for i in (0, 1, 3):
        fitted.backend.gets(fitted.client.sends("A", bytes(100), seq=base + 100 * i))
    seen = (base + fitted.shift.seq) % 2**32
    listed = NOP * 2 + options.timestamps(5, fitted.backend.echo) + NOP * 2 + sack(
        (seen + 300, seen + 400))
    got = fitted.client.gets(fitted.backend.sends("A", ack=seen + 200, options=listed))
    assert sack((base + 300, base + 400)) in got.options and got.ack == base + 200


def test_four_sack_blocks_are_corrected(fitted):
    base = fitted.client.next + fitted.shift.seq
    edges = [(base + i * 1000, base + i * 1000 + 500) for i in range(1, 5)]
    fitted.client.gets(fitted.backend.sends("A", options=NOP * 2 + sack(*edges)))


def test_the_clients_own_sack_is_left_alone(fitted):
    """Its edges are the backend's numbers, which nobody shifts."""
    listed = NOP * 2 + sack((fitted.client.expects + 100, fitted.client.expects + 200))
    shift = fitted.shift
    segment = fitted.client.sends("A", options=listed)
    got = fitted.backend.gets(segment)
    assert got.options == listed and got.seq == (segment.seq + shift.seq) % 2**32


@pytest.mark.parametrize("listed", [b"\xfd\x05abc" + options.timestamps(7, 8) + NOP,
                                    NOP + options.timestamps(7, 8) + NOP], ids=["5", "1"])
def test_odd_offsets(fitted, listed):
    """A 32-bit field that straddles checksum words."""
    fitted.backend.gets(fitted.client.sends("PA", b"odd", options=listed))
    fitted.client.gets(fitted.backend.sends("PA", b"even", options=listed))


def test_a_fitted_syn_sent_again(wire, service):
    old = leave_behind(Talk(wire, service))
    talk = Talk(wire, service, isn=old.client.next - 5, tsval=old.client.clock - 5)
    syn = talk.client.sends("S")
    talk.backend.gets_fitted(syn)
    talk.client.sends_again(syn)
    talk.backend.gets(syn)
    talk.is_answered().chats()


def test_a_fitted_connection_closes_like_any(fitted, sluice, service):
    fitted.chats()
    fitted.backend_closes_first()
    assert sluice.pool_of(service)["time_wait"] == 1


@pytest.mark.parametrize("sender", ["client", "backend"])
def test_a_rst_of_a_fitted_connection(fitted, sluice, service, sender):
    if sender == "client":
        fitted.backend.gets(fitted.client.sends("RA"))
    else:
        fitted.client.gets(fitted.backend.sends("RA"))
    assert sluice.pool_of(service)["available"] == 1


def test_a_refusal_of_a_fitted_syn(wire, service):
    old = leave_behind(Talk(wire, service))
    talk = Talk(wire, service, isn=old.client.next - 5, tsval=old.client.clock - 5)
    talk.backend.gets_fitted(talk.client.sends("S"))
    talk.client.gets(talk.backend.sends("RA", seq=0, options=b""))


def test_steps_cannot_be_guessed(wire, service):
    """Equal reuses do not get equal numbers (RFC 6528)."""
    old, steps = leave_behind(Talk(wire, service)), set()
    for _ in range(4):
        talk = Talk(wire, service, isn=old.backend.expects - 1000, tsval=old.backend.echo - 1000)
        got = talk.backend.gets_fitted(talk.client.sends("S"))
        steps.add((got.seq - old.backend.expects) % 2**32)
        old = leave_behind(talk.is_answered(), opened=True)
    assert len(steps) == 4


def test_many_clients_through_one_port(wire, service, sluice):
    """Forty strangers with random numbers, some without timestamps, each behind the last; the
    backend closes first every time and judges every SYN as the strictest of stacks would."""
    luck = random.Random(20)
    memory = None
    for _ in range(40):
        tsval = luck.choice([None, luck.getrandbits(32), luck.getrandbits(32)])
        talk = Talk(wire, service, f"10.1.{luck.randrange(200)}.9", isn=luck.getrandbits(32),
                    tsval=tsval, backend_isn=luck.getrandbits(32))
        got = talk.backend.gets_fitted(talk.client.sends("S"))
        assert memory is None or all_take(memory, got)
        memory = memory_of(leave_behind(talk.is_answered(), opened=True))
    row = sluice.pool_of(service)
    assert row["taken"] == 40 and row["exhausted"] == 0 and row["heals"] == 0


def test_a_clean_port_in_its_guard_is_taken_in_need(wire, service):
    Talk(wire, service).opens().client_closes_first()
    Talk(wire, service, isn=5, tsval=5).opens().chats()
