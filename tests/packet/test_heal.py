# SPDX-License-Identifier: BSD-3-Clause
"""Half-open recovery: the backend remembers what Sluice does not, and the client never notices.

The backend's old connection is made up: Sluice has just been started, so to speak. Its answers to
the SYN are those of its state, with the numbers of that connection.
"""

import time

import pytest

from conversation import Talk
from lab_kit.configuration import Configuration
from segment import but
from stacks import Memory, all_take

CONFIG = Configuration(reuse="rebase", count=48, ports=8)

OLD = Memory(seq=0x4000_0000, tsval=3_000_000)  # RCV.NXT and TS.Recent of the old connection
OLD_NEXT = 0x5000_0000  # its SND.NXT

ANSWERS = {
    "TIME_WAIT": ("A", b"", OLD_NEXT),
    "ESTABLISHED, a challenge ACK": ("A", b"", OLD_NEXT),
    "ESTABLISHED, data": ("PA", b"old data", OLD_NEXT - 8),
    "FIN_WAIT_1, its FIN again": ("FA", b"", OLD_NEXT - 1),
    "FIN_WAIT_2": ("A", b"", OLD_NEXT),
    "LAST_ACK, its FIN again": ("FPA", b"last words", OLD_NEXT - 11),
    "SYN_RECEIVED, its SYN-ACK again": ("SA", b"", OLD_NEXT - 1),
}


def answers_stale(talk, flags="A", data=b"", seq=OLD_NEXT, ack=OLD.seq, tsecr=OLD.tsval):
    """The backend speaks of the old connection."""
    talk.backend.sends_again(talk.backend.would_send(flags, data, seq=seq, ack=ack, tsecr=tsecr))


def is_healed(talk, syn, ack=OLD.seq):
    """RST where the backend acknowledged, then the client's SYN once more, fitted."""
    talk.backend.gets_reset(seq=ack)
    return talk.backend.gets_fitted(syn)


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_a_stale_answer_never_reaches_the_client(talk, sluice, answer):
    flags, data, seq = answer
    syn = talk.client.sends("S")
    talk.backend.gets(syn)
    port = talk.local
    with sluice.counts(stale_answer=1, heals_started=1, resets_to_backends=1):
        answers_stale(talk, flags, data, seq)
        got = is_healed(talk, syn)
        talk.client.gets_nothing()
    assert talk.local == port
    assert all_take(OLD, got), "a backend that ignores RST (RFC 1337) must take it too"
    with sluice.counts(heals_succeeded=1):
        talk.is_answered()
    talk.chats().client_closes_first()


def test_a_backend_without_timestamps(talk):
    """Nothing is known of the old TSval; the sequence must do."""
    syn = talk.client.sends("S", seq=OLD.seq + 2**31 - 5)
    talk.client.next = syn.end
    talk.backend.gets(syn)
    talk.backend.clock = None
    answers_stale(talk, ack=OLD.seq + 2**31)
    got = is_healed(talk, syn, OLD.seq + 2**31)
    assert all_take(Memory(OLD.seq + 2**31, None), got) and talk.shift.tsval == 0


def test_numbers_that_fit_already_are_left_alone(wire, service):
    talk = Talk(wire, service, isn=OLD.seq + 1000, tsval=OLD.tsval + 1000)
    syn = talk.client.sends("S")
    talk.backend.gets(syn)
    answers_stale(talk)
    is_healed(talk, syn)
    assert talk.shift == (0, 0)
    talk.is_answered().chats()


def test_a_late_segment_explains_itself(wire, service, sluice):
    """The SYN is one that the backend takes. So what came before its answer was on the way since
    the old connection, and nothing is to be healed."""
    talk = Talk(wire, service, isn=OLD.seq + 1000, tsval=OLD.tsval + 1000)
    talk.backend.gets(talk.client.sends("S"))
    with sluice.counts(stale_answer=1):
        answers_stale(talk, "FA", b"", OLD_NEXT)
        answer = talk.backend.sends("SA")
        talk.client.gets(answer)
    talk.backend.gets(talk.client.sends("A"))
    talk.chats()
    assert sluice.pool_of(service)["heals"] == 0


def test_the_syn_is_sent_again_as_it_came(wire, service):
    """Options, TOS, ID and window are the client's; data on a SYN is not kept."""
    talk = Talk(wire, service)
    syn = talk.client.sends("S", b"early data", tos=0xb8, id=77, window=4321, df=False,
                            ip_options=bytes.fromhex("94040000"))
    talk.backend.gets(syn)
    answers_stale(talk)
    is_healed(talk, but(syn, data=b""))
    talk.client.gets(talk.backend.sends("SA", ack=syn.seq + 1 + talk.shift.seq))


def test_segments_of_the_old_stream_are_no_news(talk, sluice):
    """The backend was in the middle of sending: what is on its way changes nothing."""
    syn = talk.client.sends("S")
    talk.backend.gets(syn)
    with sluice.counts(stale_answer=5, heals_started=1, resets_to_backends=1):
        for i in range(5):
            answers_stale(talk, "A", b"old data", OLD_NEXT + 8 * i)
        is_healed(talk, syn)
        talk.client.gets_nothing()
    talk.is_answered().chats()


def test_the_clients_own_retransmission_is_fitted_alike(talk):
    syn = talk.client.sends("S")
    talk.backend.gets(syn)
    answers_stale(talk)
    is_healed(talk, syn)
    again = talk.client.sends("S", seq=syn.seq)
    talk.backend.gets(again)
    talk.is_answered().chats()


def test_a_second_stale_answer_moves_to_another_port(talk, sluice):
    syn = talk.client.sends("S")
    talk.backend.gets(syn)
    answers_stale(talk)
    is_healed(talk, syn)
    first = talk.local
    with sluice.counts(stale_answer=1, heals_started=1, heals_moved=1, resets_to_backends=1):
        answers_stale(talk, ack=OLD.seq + 500)
        talk.backend.gets_reset(seq=OLD.seq + 500)
        talk.backend.gets_fitted(syn)
        talk.client.gets_nothing()
    assert talk.local != first
    talk.is_answered().chats().client_closes_first()


def test_what_the_old_port_answers_after_the_move_is_reset(talk, sluice):
    syn = talk.client.sends("S")
    talk.backend.gets(syn)
    answers_stale(talk)
    is_healed(talk, syn)
    first = talk.local
    answers_stale(talk, ack=OLD.seq + 500)
    talk.backend.gets_reset(seq=OLD.seq + 500)
    talk.backend.gets_fitted(syn)
    second, talk.backend.remote = talk.local, first
    with sluice.counts(no_flow_outbound=1, resets_to_backends=1):
        answers_stale(talk, ack=OLD.seq + 500)
        talk.backend.gets_reset(seq=OLD.seq + 500)
    talk.backend.remote = second
    talk.is_answered().chats()


def test_attempts_are_bounded(talk, sluice, service):
    """A backend that nothing heals: in the end the client gets an honest RST."""
    syn = talk.client.sends("S")
    talk.backend.gets(syn)
    for attempt in range(4):
        answers_stale(talk, ack=OLD.seq + attempt)
        is_healed(talk, syn, OLD.seq + attempt)
    with sluice.counts(stale_answer=1, heal_exhausted=1, resets_to_clients=1,
                       resets_to_backends=1):
        answers_stale(talk, ack=OLD.seq + 100)
        talk.backend.gets_reset(seq=OLD.seq + 100)
        talk.client.gets_reset(seq=0, ack=syn.end)
    assert sluice.pool_of(service)["in_use"] == 0


def test_the_clients_new_attempt_after_that(wire, talk, service):
    """The ledger has learned: a new SYN on the same tuples is fitted before it goes."""
    syn = talk.client.sends("S")
    talk.backend.gets(syn)
    for attempt in range(4):
        answers_stale(talk, ack=OLD.seq + attempt)
        is_healed(talk, syn, OLD.seq + attempt)
    answers_stale(talk, ack=OLD.seq + 100)
    talk.backend.gets_reset(seq=OLD.seq + 100)
    talk.client.gets_reset(seq=0, ack=syn.end)
    anew = Talk(wire, service, *talk.client.address, isn=syn.seq + 64_000)
    anew.opens(fitted=True).chats()


def test_a_backend_that_drops_silently_is_left(talk, sluice):
    """FreeBSD says nothing. The client's second retransmission goes by another port."""
    syn = talk.client.sends("S")
    talk.backend.gets(syn)
    time.sleep(1)
    talk.client.sends_again(syn)
    talk.backend.gets(syn)
    first = talk.local
    time.sleep(1)
    with sluice.counts(syns_retransmitted=1, heals_moved=1, resets_to_backends=1):
        talk.client.sends_again(syn)
        talk.backend.gets_reset(seq=syn.end)
        talk.backend.gets_fitted(syn)
    assert talk.local != first
    talk.is_answered().chats()



def test_a_late_stale_answer_after_the_handshake_began(talk, sluice):
    """Overtaken by the SYN-ACK: the client, which may not have that yet, must not see it."""
    talk.backend.gets(talk.client.sends("S"))
    talk.client.gets(talk.backend.sends("SA"))
    with sluice.counts(stale_answer=1):
        answers_stale(talk)
        talk.client.gets_nothing()
    talk.backend.gets(talk.client.sends("A"))
    talk.chats()


def test_an_ack_of_this_very_syn_is_no_stale_answer(talk, sluice):
    """It acknowledges the SYN and yet is none: nobody sends that, and nobody gets it."""
    syn = talk.client.sends("S")
    talk.backend.gets(syn)
    with sluice.counts(segment_unexpected=2):
        talk.backend.sends_again(talk.backend.would_send("A", ack=syn.end))
        talk.backend.sends_again(but(talk.backend.would_send("F"), ack=0))
        talk.client.gets_nothing()
    talk.is_answered().chats()


def test_the_backends_row_tells_it(talk, sluice, service):
    syn = talk.client.sends("S")
    talk.backend.gets(syn)
    answers_stale(talk)
    is_healed(talk, syn)
    talk.is_answered()
    (row,) = [row for row in sluice.show("backends") if row["service"] == service.name]
    assert (row["heals"], row["heals_succeeded"], row["heals_failed"]) == (1, 1, 0)
    assert sluice.pool_of(service)["heals"] == 1
