# SPDX-License-Identifier: BSD-3-Clause
"""The judge that the proofs rest on, judged itself: short tables of packets at a backend."""

import pytest

from lab_kit.capture import ACK, FIN, RST, SYN, Packet
from lab_kit.tcp_options import find_timestamps
from lab_kit.time_wait_judge import judge

LOCAL, BACKEND = (1, 5000), (2, 80)


def inbound(time, flags, seq=100, ack=0, payload=0):
    return Packet(time, LOCAL, BACKEND, seq, ack, flags, payload, b"")


def outbound(time, flags, seq=500, ack=0, payload=0):
    return Packet(time, BACKEND, LOCAL, seq, ack, flags, payload, b"")


def opened(time):
    return [inbound(time, SYN), outbound(time, SYN | ACK, ack=101)]


def backend_closes_first(time):
    return [*opened(time), outbound(time, FIN | ACK, 501, 101), inbound(time, FIN | ACK, 101, 502)]


def client_closes_first(time):
    return [*opened(time), inbound(time, FIN | ACK, 101, 501), outbound(time, FIN | ACK, 501, 102)]


def both_close_at_once(time):
    return [*opened(time), outbound(time, FIN | ACK, 501, 101), inbound(time, FIN | ACK, 101, 501)]


@pytest.mark.parametrize("packets, on_time_wait", [
    (backend_closes_first(0) + opened(59), 1),
    (backend_closes_first(0) + opened(61), 0),
    (client_closes_first(0) + opened(1), 0),
    (both_close_at_once(0) + opened(1), 1),
    (backend_closes_first(0) + [inbound(1, RST)] + opened(2), 0),
    (opened(0) + [outbound(1, RST)] + opened(2), 0),
], ids=["in time", "after it", "client first", "at once", "cleared by RST", "reset by the backend"])
def test_syn_meets_time_wait(packets, on_time_wait):
    verdict = judge(packets, 80)
    assert (verdict.syns, verdict.tuples) == (2, 1)
    assert (verdict.on_time_wait, verdict.stale_acks) == (on_time_wait, 0)


@pytest.mark.parametrize("answer, stale_acks, resets", [
    (outbound(2, ACK, 502, 102), 1, 0),
    (outbound(2, SYN | ACK, 900, 301), 0, 0),
    (outbound(2, RST | ACK, 0, 301), 0, 1),
], ids=["stale ACK", "SYN-ACK", "RST"])
def test_answer_to_a_syn(answer, stale_acks, resets):
    verdict = judge(backend_closes_first(0) + [inbound(2, SYN, 300), answer], 80)
    assert (verdict.stale_acks, verdict.resets_to_syn) == (stale_acks, resets)


def test_a_retransmitted_syn_is_no_reuse():
    verdict = judge([inbound(0, SYN), *opened(1)], 80)
    assert (verdict.syns, verdict.retransmitted) == (1, 1)


@pytest.mark.parametrize("options, want", [
    (b"\x01\x01\x08\x0a\x00\x00\x00\x07\x00\x00\x00\x09", (7, 9)),
    (b"\x02\x04\x05\xb4\x04\x02\x08\x0a\x00\x00\x00\x07\x00\x00\x00\x00\x01\x03\x03\x07", (7, 0)),
    (b"\x02\x04\x05\xb4\x01\x03\x03\x07", None),
    (b"\x08\x0a\x00", None),
    (b"\x05\x00\x01\x01", None),
    (b"", None),
])
def test_timestamps_are_found(options, want):
    assert find_timestamps(options) == want
