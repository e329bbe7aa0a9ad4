# SPDX-License-Identifier: BSD-3-Clause
"""Tuples in TIME_WAIT: the failure through the kernel's NAT, and what Sluice does without a fix.

Backends close first, clients come from 4,096 addresses, and few local ports serve them. These are
the policies that wait TIME_WAIT out; `rebase` has its own file.
"""

import pytest

from lab_kit.load import churn
from lab_kit.middles import ALL_PORTS, HaProxy, KernelNat, Sluice, ports_from
from lab_kit.topology import lab_with
from lab_kit.witness import assert_all_well, witness

PAWS = "TcpExtPAWSTimewait"


def test_kernel_nat_fails():
    """The failure that Sluice is for. Should a kernel ever mend it, this test will say so."""
    with lab_with(KernelNat(ports_from(1000))) as lab, witness(lab) as seen:
        report = churn(lab, seconds=3)
    assert report["stalls"] > 0
    assert seen.rejects[PAWS] > 0
    # The capture's judgement and the kernel's counter are two views of the same thing.
    assert seen.stale_acks == seen.rejects[PAWS]


def test_a_proxy_does_not_fail():
    """The bar: one timestamp clock towards the backend, and every SYN is taken."""
    with lab_with(HaProxy(ports_from(1000))) as lab, witness(lab) as seen:
        report = churn(lab, seconds=3)
    assert_all_well(report)
    seen.assert_reuse()
    seen.assert_no_reject()


@pytest.mark.parametrize("reuse", ["never", "natural"])
def test_whole_range(reuse):
    """As many connections as the range has ports for: all succeed, none meets TIME_WAIT."""
    with lab_with(Sluice(ALL_PORTS, reuse)) as lab, witness(lab) as seen:
        report = churn(lab, seconds=5, connections=100_000)
    assert_all_well(report)
    seen.assert_no_reject()
    assert sum(verdict.on_time_wait for verdict in seen.verdicts) == 0


@pytest.mark.nightly  # the simulator and tests/packet/test_never have it in less
def test_never_waits_time_wait_out():
    """300 ports serve 600 connections a minute; 9/s for 75 s uses tuples again, but only rested."""
    with lab_with(Sluice(ports_from(300), "never")) as lab, witness(lab) as seen:
        report = churn(lab, seconds=75, rate=9)
    assert_all_well(report)
    seen.assert_reuse()
    seen.assert_no_reject()
    assert sum(verdict.on_time_wait for verdict in seen.verdicts) == 0


def test_natural_sends_only_what_will_be_taken():
    """More than the ports can rest: some are refused, but what is sent, is taken."""
    with lab_with(Sluice(ports_from(1000), "natural")) as lab, witness(lab) as seen:
        report = churn(lab, seconds=3, rate=800)
        natural = lab.middle.pool_sum("reuse_natural")
    assert report["failed"] == report["refused"] and report["stalls"] == 0
    seen.assert_no_reject()
    on_time_wait = sum(verdict.on_time_wait for verdict in seen.verdicts)
    assert on_time_wait > 0, "no tuple in TIME_WAIT was used: nothing is proven"
    assert natural == on_time_wait


@pytest.fixture(scope="module")
def never():
    """Sixteen ports that wait."""
    with lab_with(Sluice(ports_from(16), "never")) as lab:
        yield lab


def test_never_refuses_what_it_cannot_serve(never):
    """Out of rested ports, a client gets an RST at once: no silence, and no SYN into TIME_WAIT."""
    with witness(never) as seen:
        report = churn(never, seconds=3, rate=40)
        exhausted = never.middle.pool_sum("exhausted")
    assert report["succeeded"] == 32
    assert report["refused"] == report["failed"] == report["opened"] - 32
    assert exhausted >= report["refused"]
    seen.assert_no_reject()
    assert sum(verdict.on_time_wait for verdict in seen.verdicts) == 0


def test_clean_tuples_come_back_at_once(never):
    """Where the client closes first, 16 ports serve without end, and without a reuse policy."""
    with witness(never, port=8080) as seen:
        report = churn(never, close="client", seconds=2, concurrency=2, rate=200)
    assert_all_well(report)
    seen.assert_reuse()
    seen.assert_no_reject()
