# SPDX-License-Identifier: BSD-3-Clause
"""The situations of the kernel's own tests of the same job, told anew for a balancer.

Source: Linux, tools/testing/selftests/net/netfilter; each test's first line names the file there.
What those files hold of other matters (flowtables, queues, zones, bridges, SCTP, UDP, IPv6) does
not apply. conntrack_icmp_related.sh, conntrack_ipip_mtu.sh, vxlan_mtu_frag.sh: the tests of ICMP
and MTU; nft_nat.sh: test_nat.py; ipvs.sh and connect_close.c: tests/lab, with real kernels.
"""

import pytest

from conversation import Talk
from lab_kit.configuration import Configuration

CONFIG = Configuration(count=16, ports=8)
OLD_SEQ, OLD_ACK, OLD_TSVAL = 145_824_453, 643_160_523, 3_000_000


def state_of(sluice, service):
    return [row["state"] for row in sluice.show("flows") if service.local in row["local"]]


def test_acknowledged_data_sent_again_is_let_through(flow):
    """conntrack_ack_loss_stall.pkt: sixty segments on, the first one comes again."""
    first = flow.client.would_send("PA", b"x" * 1000)
    flow.client.next = first.end
    flow.client.sends_again(first)
    flow.backend.gets(first)
    flow.client.gets(flow.backend.sends("A"))
    for _ in range(60):
        flow.backend.gets(flow.client.sends("PA", b"y" * 1000))
        flow.client.gets(flow.backend.sends("A"))
    flow.client.sends_again(first)
    flow.backend.gets(first)
    flow.client.gets(flow.backend.sends("A"))
    flow.chats()


def test_a_reset_behind_the_fin_ends_a_closing_connection(flow, sluice, service):
    """conntrack_inexact_rst.pkt: a FIN, a RST against it, and a last RST out of place."""
    for _ in range(3):
        flow.client.gets(flow.backend.sends("PA", b"d" * 1000))
        flow.backend.gets(flow.client.sends("A"))
    flow.client.gets(flow.backend.sends("FA"))
    flow.backend.gets(flow.client.sends("A"))
    flow.backend.gets(flow.client.sends("RA", options=b""))
    assert sluice.pool_of(service)["in_use"] == 0
    last = flow.backend.would_send("R", seq=flow.backend.next - 1000, options=b"")
    flow.backend.sends_again(last)
    flow.client.gets_nothing()  # both have closed: nobody needs it
    assert sluice.pool_of(service)["in_use"] == 0


@pytest.mark.parametrize("offset", [-3001, 2**24])
def test_a_reset_outside_the_window_moves_nothing(flow, sluice, service, offset):
    """conntrack_rst_invalid.pkt: before the window, and far behind it."""
    for _ in range(3):
        flow.client.gets(flow.backend.sends("PA", b"d" * 1000))
        flow.backend.gets(flow.client.sends("A"))
    with sluice.counts(rst_out_of_window=1):
        flow.backend.sends_again(flow.backend.would_send(
            "R", seq=flow.backend.next + offset, options=b""))
        flow.client.gets_nothing()
    assert state_of(sluice, service) == ["established"]
    flow.chats()


def test_a_reset_in_the_window_waits_for_the_exact_one(flow, sluice, service):
    """conntrack_rst_invalid.pkt: in the window, then exact."""
    near = flow.backend.would_send("R", seq=flow.backend.next + 42, options=b"")
    flow.backend.sends_again(near)
    flow.client.gets(near)
    assert state_of(sluice, service) == ["established"]
    flow.client.gets(flow.backend.sends("RA", options=b""))
    assert sluice.pool_of(service)["in_use"] == 0


def test_a_challenge_ack_of_an_old_incarnation_is_healed(talk, sluice):
    """conntrack_syn_challenge_ack.pkt: there the client resets it; here it sees none."""
    syn = talk.client.sends("S")
    talk.backend.gets(syn)
    with sluice.counts(stale_answer=1, heals_started=1):
        talk.backend.sends_again(talk.backend.would_send("A", seq=OLD_SEQ, ack=OLD_ACK,
                                                         tsecr=OLD_TSVAL))
        talk.backend.gets_reset(seq=OLD_ACK)
        talk.backend.gets_fitted(syn)
        talk.client.gets_nothing()
    talk.is_answered().chats()


def test_a_syn_ack_of_an_old_incarnation_is_not_the_answer(talk, sluice):
    """conntrack_synack_old.pkt: a SYN-ACK to a SYN of long ago comes before the right one."""
    syn = talk.client.sends("S")
    talk.backend.gets(syn)
    with sluice.counts(stale_answer=1, heals_started=1):
        talk.backend.sends_again(talk.backend.would_send("SA", seq=OLD_SEQ, ack=OLD_ACK,
                                                         tsecr=OLD_TSVAL))
        talk.backend.gets_reset(seq=OLD_ACK)
        talk.backend.gets_fitted(syn)
        talk.client.gets_nothing()
    talk.is_answered().chats()


def test_a_syn_on_an_open_connection_is_for_the_backend_to_judge(wire, flow, service):
    """conntrack_synack_reuse.pkt: SYN, challenge ACK, RST, and the SYN again opens a new one."""
    flow.chats()
    anew = Talk(wire, service, *flow.client.address, isn=flow.client.next + 1900)
    syn, expected = anew.client.sends("S"), flow.backend.expects
    flow.backend.gets(syn)
    challenge = flow.backend.sends("A", ack=expected)
    flow.client.gets(challenge)
    flow.backend.gets(flow.client.sends("R", seq=challenge.ack, options=b""))
    anew.client.sends_again(syn)
    anew.backend.gets_fitted(syn)
    anew.is_answered().chats()


def test_two_clients_with_one_port_do_not_clash(wire, service):
    """conntrack_clash.sh, conntrack_reverse_clash.sh: one port, one moment, two tuples."""
    left = Talk(wire, service, "10.1.3.21", 31000)
    right = Talk(wire, service, "10.1.3.22", 31000, isn=0x3333_0000)
    left_syn, right_syn = left.client.sends("S"), right.client.sends("S")
    left.backend.gets(left_syn)
    right.backend.gets(right_syn)
    assert left.local != right.local
    right.is_answered()
    left.is_answered().chats()
    right.chats()


def test_an_unanswered_syn_sent_again_goes_the_same_way(talk, sluice):
    """conntrack_tcp_unreplied.sh: nobody answers; sent again it is the same flow."""
    syn = talk.client.sends("S")
    talk.backend.gets(syn)
    opened = sluice.counters()["flows_opened"]
    talk.client.sends_again(syn)
    talk.backend.gets(syn)
    assert sluice.counters()["flows_opened"] == opened
    talk.is_answered().chats()
