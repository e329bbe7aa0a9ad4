# SPDX-License-Identifier: BSD-3-Clause
"""reuse = "rebase": with few ports, whatever a client does, no backend's TIME_WAIT is in the way.

The proofs (a) to (g) against real kernels. All of them use tuples that a backend holds in
TIME_WAIT, again and again, and none may stall, fail, or be rejected.
"""

import time

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


def rebase(ports):
    return Sluice(ports_from(ports), "rebase")


def prove(lab, port=PORT_CLOSING, **options):
    """A churn in which every SYN must be taken at once."""
    with witness(lab, port) as seen:
        report = churn(lab, **options)
    assert_all_well(report)
    seen.assert_reuse()
    seen.assert_no_reject()
    return report


@pytest.mark.parametrize("seconds", [15, pytest.param(60, marks=pytest.mark.nightly)])
def test_a_thousand_ports(seconds):
    """(a)"""
    with lab_with(rebase(1000)) as lab:
        prove(lab, seconds=seconds)
        assert lab.middle.pool_sum("exhausted") == 0


def test_b_sixteen_ports():
    """(b)"""
    with lab_with(rebase(16)) as lab:
        prove(lab, seconds=8, concurrency=8)


def test_c_clients_without_timestamps():
    """(c) Two SYNs without timestamps meet on one tuple: only the sequence can tell them apart."""
    with lab_with(rebase(16)) as lab:
        prove(lab, seconds=6, concurrency=8, plain=True)
        assert lab.middle.pool_sum("seq_fixes") > 0


def test_c_clients_mixed_on_one_tuple():
    """(c) Half with and half without timestamps, on the same ports."""
    with lab_with(rebase(16)) as lab, witness(lab) as seen:
        plain = Churn(lab, plain=True, seconds=6, concurrency=4)
        stamped = churn(lab, seconds=6, concurrency=4)
        assert_all_well(plain.finish())
    assert_all_well(stamped)
    seen.assert_reuse()
    seen.assert_no_reject()


@pytest.mark.parametrize("ports, concurrency", [(1000, 64), (16, 8)])
def test_d_the_clients_resets_are_eaten(ports, concurrency):
    """(d) A firewall on the clients' side lets no RST out."""
    with lab_with(rebase(ports)) as lab:
        lab.client.nft(EAT_RESETS)
        prove(lab, seconds=6, concurrency=concurrency)


def restarted_churn(lab):
    """Kills Sluice in the middle of a 16-port churn. Returns what was opened after the restart."""
    load = Churn(lab, log=True, seconds=9, concurrency=8)
    time.sleep(2)
    lab.middle.kill()
    lab.middle.launch()
    again_ns = time.monotonic_ns()
    load.finish()
    return [row for row in load.connections() if row["opened_ns"] > again_ns]


@pytest.mark.parametrize("rfc1337", [0, 1])
def test_e_and_f_killed_and_started_again(rfc1337):
    """(e) What the new process cannot know, it heals; (f) also where a backend ignores an RST."""
    with lab_with(rebase(16)) as lab:
        for backend in lab.backends:
            backend.sysctl(**{"net.ipv4.tcp_rfc1337": rfc1337})
        with Capture(lab, lab.client, SIGNALS) as capture:
            later = restarted_churn(lab)
        heals = lab.middle.pool_sum("heals")
        at_clients = judge(capture.packets(), PORT_CLOSING)
    assert len(later) > 100
    assert [row for row in later if row["outcome"] != "succeeded"] == []
    assert [row for row in later if row["connect_ms"] >= 900] == []
    assert heals > 0, "nothing had to be healed: nothing is proven"
    assert at_clients.stale_acks == 0, "a stale ACK reached a client"


def test_e_open_connections_from_before_the_restart():
    """(e) The backend is left with ESTABLISHED tuples; the ports are used again all the same."""
    with lab_with(rebase(16)) as lab:
        load = Churn(lab, close="client", path="/letters10m", concurrency=8, seconds=3)
        time.sleep(1.5)
        lab.middle.kill()
        lab.middle.launch()
        again_ns = time.monotonic_ns()
        after = Churn(lab, close="client", log=True, concurrency=8, seconds=5)
        after.finish()
        load.finish()
        rows = [row for row in after.connections() if row["opened_ns"] > again_ns]
    assert len(rows) > 100
    assert [row for row in rows if row["outcome"] != "succeeded" or row["connect_ms"] >= 900] == []


@pytest.mark.parametrize("close", ["client", "reset", "half"])
def test_g_every_way_of_closing(close):
    """(g)"""
    port = PORT_KEEPALIVE if close in KEEPALIVE_MODES else PORT_CLOSING
    with lab_with(rebase(16)) as lab:
        prove(lab, port, close=close, seconds=3, concurrency=8)


def test_g_every_way_of_closing_mixed():
    """(g) All of them at once on the same few ports."""
    with lab_with(rebase(16)) as lab, witness(lab) as seen:
        loads = [Churn(lab, close=close, plain=plain, seconds=5, concurrency=2)
                 for close in ("server", "half") for plain in (False, True)]
        reports = [load.finish() for load in loads]
    seen.assert_reuse()
    seen.assert_no_reject()
    for report in reports:
        assert_all_well(report)


def test_g_reuse_after_a_fast_upload():
    """(g) 200 MB wind the sequence on faster than any clock; the one port is used again at once."""
    with lab_with(rebase(1)) as lab:
        prove(lab, close="upload", path="/upload/big", upload_mb=200, connections=4, concurrency=1,
              seconds=120, timeout=60)
