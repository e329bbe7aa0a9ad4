# SPDX-License-Identifier: BSD-3-Clause
"""Segments that come twice, late, or in another order than they were sent."""

import time

from lab_kit.configuration import Configuration
from segment import but

CONFIG = Configuration(count=40)
RTO = 1.0  # before which a SYN is a copy


def test_a_syn_sent_again(talk, sluice):
    syn = talk.client.sends("S")
    talk.backend.gets(syn)
    with sluice.counts(syns_copied=20):  # sooner than a client sends it again
        for _ in range(20):
            talk.client.sends_again(syn)
            talk.backend.gets(syn)
    time.sleep(RTO)
    with sluice.counts(syns_retransmitted=1):
        talk.client.sends_again(syn)
        talk.backend.gets(syn)
    talk.is_answered().chats()


def test_a_syn_sent_again_with_a_newer_timestamp(talk):
    talk.backend.gets(talk.client.sends("S"))
    talk.backend.gets(talk.client.sends("S", seq=talk.client.isn))
    talk.is_answered().chats()


def test_a_syn_that_crosses_its_answer(talk):
    syn = talk.client.sends("S")
    talk.backend.gets(syn)
    answer = talk.backend.sends("SA")
    talk.client.gets(answer)
    talk.client.sends_again(syn)
    talk.backend.gets(syn)
    talk.backend.sends_again(answer)
    talk.client.gets(answer)
    talk.backend.gets(talk.client.sends("A"))
    talk.chats()


def test_a_syn_ack_sent_again(talk):
    talk.backend.gets(talk.client.sends("S"))
    answer = talk.backend.sends("SA")
    talk.client.gets(answer)
    talk.backend.sends_again(answer)
    talk.client.gets(answer)
    talk.backend.gets(talk.client.sends("A"))
    talk.chats()


def test_a_syn_ack_sent_again_after_the_handshake(talk):
    """The client's ACK was lost behind Sluice."""
    talk.backend.gets(talk.client.sends("S"))
    answer = talk.backend.sends("SA")
    talk.client.gets(answer)
    talk.backend.gets(talk.client.sends("A"))
    talk.backend.sends_again(answer)
    talk.client.gets(answer)
    talk.chats()


def test_the_handshakes_ack_is_lost_before_sluice(talk):
    """The data that follows it says the same."""
    talk.backend.gets(talk.client.sends("S"))
    talk.client.gets(talk.backend.sends("SA"))
    talk.backend.gets(talk.client.sends("PA", b"first"))
    talk.chats()


def test_data_sent_again(flow):
    for end, other in ((flow.client, flow.backend), (flow.backend, flow.client)):
        data = end.sends("PA", b"again and again")
        other.gets(data)
        for _ in range(3):
            end.sends_again(data)
            other.gets(data)
    flow.chats()


def test_data_out_of_order(flow):
    for end, other in ((flow.client, flow.backend), (flow.backend, flow.client)):
        base = end.next
        segments = [end.would_send("A", bytes([i]) * 100, seq=base + 100 * i) for i in range(5)]
        end.next = base + 500
        for i in (4, 0, 3, 1, 2):
            end.sends_again(segments[i])
            other.gets(segments[i])
    flow.chats()


def test_a_fin_that_overtakes_the_data_before_it(flow):
    base = flow.client.next
    data = flow.client.would_send("A", b"x" * 100, seq=base)
    fin = flow.client.sends("FA", seq=base + 100)
    flow.backend.gets(fin)
    flow.client.sends_again(data)
    flow.backend.gets(data)
    flow.client.gets(flow.backend.sends("FA"))
    flow.backend.gets(flow.client.sends("A"))


def test_fins_sent_again(flow, sluice, service):
    fin = flow.client.sends("FA")
    flow.backend.gets(fin)
    flow.client.sends_again(fin)
    flow.backend.gets(fin)
    answer = flow.backend.sends("FA")
    flow.client.gets(answer)
    flow.backend.sends_again(answer)
    flow.client.gets(answer)
    flow.client.sends_again(fin)  # crossed
    flow.backend.gets(fin)
    flow.backend.gets(flow.client.sends("A"))
    assert sluice.pool_of(service)["available"] == 1


def test_late_segments_after_the_end(flow):
    """The last ACK is lost behind Sluice: the backend's FIN comes again and is answered again."""
    flow.backend.gets(flow.client.sends("FA"))
    fin = flow.backend.sends("FA")
    flow.client.gets(fin)
    last = flow.client.sends("A")
    flow.backend.gets(last)
    flow.backend.sends_again(fin)
    flow.client.gets(fin)
    flow.client.sends_again(last)
    flow.backend.gets(last)


def test_a_keepalive_and_its_answer(flow):
    """One byte below the window, without data (RFC 9293, section 3.8.4)."""
    flow.chats()
    for end, other in ((flow.client, flow.backend), (flow.backend, flow.client)):
        other.gets(end.sends("A", seq=end.next - 1))
        end.gets(other.sends("A"))
    flow.chats()


def test_a_zero_window_and_its_probe(flow):
    flow.client.gets(flow.backend.sends("A", window=0))
    probe = flow.client.would_send("A", b"p")
    flow.client.sends_again(probe)
    flow.backend.gets(probe)
    flow.backend.expects = probe.seq
    flow.client.gets(flow.backend.sends("A", window=0))
    flow.client.gets(flow.backend.sends("A", window=1000))
    flow.client.sends_again(but(probe, data=b"probe"))
    flow.backend.gets(but(probe, data=b"probe"))


def test_duplicate_acks(flow):
    data = flow.client.sends("PA", b"lost")
    flow.backend.gets(data)
    flow.backend.expects = data.seq
    flow.client.gets_all(*(flow.backend.sends("A") for _ in range(3)))
