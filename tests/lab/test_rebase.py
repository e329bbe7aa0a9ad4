# SPDX-License-Identifier: BSD-3-Clause
"""reuse = "rebase": with few ports, whatever a client does, no backend's TIME_WAIT is in the way.

The proofs (a) to (g) against real kernels. All of them use tuples that a backend holds in
TIME_WAIT, again and again, and none may stall, fail, or be rejected. A second of load uses each of
sixteen ports more than a hundred times, each of a thousand three times. Tests that want the same
number of ports have a lab in common.
"""

import time
from contextlib import contextmanager

import pytest

from lab_kit.backend import PORT_CLOSING, PORT_KEEPALIVE
from lab_kit.capture import SIGNALS, Capture
from lab_kit.load import KEEPALIVE_MODES, Churn, churn
from lab_kit.middles import Sluice, ports_from
from lab_kit.time_wait_judge import judge
from lab_kit.topology import lab_with
from lab_kit.witness import assert_all_well, witness

EAT_RESETS = """
table ip firewall {
  chain out { type filter hook output priority 0; tcp flags & rst == rst drop; }
}"""


def ports(*counts):
    """Which labs a test runs in, by the number of local ports."""
    return pytest.mark.parametrize("lab", counts, indirect=True)


@pytest.fixture(scope="module")
def lab(request):
    with lab_with(Sluice(ports_from(request.param), "rebase")) as lab:
        yield lab


def prove(lab, port=PORT_CLOSING, **options):
    """A churn in which every SYN must be taken at once."""
    with witness(lab, port) as seen:
        report = churn(lab, **options)
    assert_all_well(report)
    seen.assert_reuse()
    seen.assert_no_reject()
    return report


@pytest.mark.parametrize("seconds", [5, pytest.param(60, marks=pytest.mark.nightly)])
@ports(1000)
def test_a_thousand_ports(lab, seconds):
    """(a)"""
    prove(lab, seconds=seconds)
    assert lab.middle.pool_sum("exhausted") == 0


@ports(1000, 16)
def test_d_the_clients_resets_are_eaten(lab):
    """(d) A firewall on the clients' side lets no RST out."""
    lab.client.nft(EAT_RESETS)
    try:
        prove(lab, seconds=3, concurrency=64 if lab.middle.ports == ports_from(1000) else 8)
    finally:
        lab.client.nft("delete table ip firewall")


@ports(16)
def test_b_sixteen_ports(lab):
    """(b)"""
    prove(lab, seconds=3, concurrency=8)


@ports(16)
def test_c_clients_without_timestamps(lab):
    """(c) Two SYNs without timestamps meet on one tuple: only the sequence can tell them apart."""
    before = lab.middle.pool_sum("sequence_adjusts")
    prove(lab, seconds=3, concurrency=8, plain=True)
    assert lab.middle.pool_sum("sequence_adjusts") > before


@ports(16)
def test_c_clients_mixed_on_one_tuple(lab):
    """(c) Half with and half without timestamps, on the same ports."""
    with witness(lab) as seen:
        plain = Churn(lab, plain=True, seconds=3, concurrency=4)
        stamped = churn(lab, seconds=3, concurrency=4)
        assert_all_well(plain.finish())
    assert_all_well(stamped)
    seen.assert_reuse()
    seen.assert_no_reject()


@pytest.mark.parametrize("close", ["client", "reset", "half"])
@ports(16)
def test_g_every_way_of_closing(lab, close):
    """(g)"""
    port = PORT_KEEPALIVE if close in KEEPALIVE_MODES else PORT_CLOSING
    prove(lab, port, close=close, seconds=2, concurrency=8)


@ports(16)
def test_g_every_way_of_closing_mixed(lab):
    """(g) All of them at once on the same few ports."""
    with witness(lab) as seen:
        loads = [Churn(lab, close=close, plain=plain, seconds=3, concurrency=2)
                 for close in ("server", "half") for plain in (False, True)]
        reports = [load.finish() for load in loads]
    seen.assert_reuse()
    seen.assert_no_reject()
    for report in reports:
        assert_all_well(report)


@contextmanager
def killed_under_load(lab, **options):
    """Kills Sluice in the middle of a churn and starts it again."""
    load = Churn(lab, concurrency=8, seconds=2, timeout=2, **options)
    time.sleep(1.5)
    lab.middle.kill()
    lab.middle.launch()
    yield
    load.finish()


def assert_all_at_once(load):
    """No connection failed, and none met an unanswered SYN."""
    load.finish()
    rows = list(load.connections())
    assert len(rows) > 100
    assert [row for row in rows if row["outcome"] != "succeeded" or row["connect_ms"] >= 900] == []


@pytest.mark.parametrize("rfc1337", [0, 1])
@ports(16)
def test_e_and_f_killed_and_started_again(lab, rfc1337):
    """(e) What the new process cannot know, it heals; (f) also where a backend ignores an RST."""
    for backend in lab.backends:
        backend.sysctl(**{"net.ipv4.tcp_rfc1337": rfc1337})
    try:
        with killed_under_load(lab), Capture(lab, lab.client, SIGNALS) as capture:
            assert_all_at_once(Churn(lab, log=True, seconds=3, concurrency=8))
    finally:
        for backend in lab.backends:
            backend.sysctl(**{"net.ipv4.tcp_rfc1337": 0})
    assert lab.middle.pool_sum("heals") > 0, "nothing had to be healed: nothing is proven"
    at_clients = judge(capture.packets(), PORT_CLOSING)
    assert at_clients.stale_acks == 0, "a stale ACK reached a client"


@ports(16)
def test_e_open_connections_from_before_the_restart(lab):
    """(e) The backend is left with ESTABLISHED tuples; the ports are used again all the same."""
    with killed_under_load(lab, close="client", path="/letters10m"):
        assert_all_at_once(Churn(lab, close="client", log=True, concurrency=8, seconds=3))


@ports(1)
def test_g_reuse_after_a_fast_upload(lab):
    """(g) 200 MB wind the sequence on faster than any clock; the one port is used again at once."""
    prove(lab, close="upload", path="/upload/big", upload_mb=200, connections=4, concurrency=1,
          seconds=120, timeout=60)
