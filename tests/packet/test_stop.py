# SPDX-License-Identifier: BSD-3-Clause
"""How Sluice goes: on SIGTERM every connection is reset at both ends, each at the number it
expects, within half a second whoever hangs on to the metrics and the page; after SIGKILL its
successor answers both ends."""

import os
import signal
import socket
import time

import pytest

import test_expiry
from balancer import Balancer
from conversation import Talk
from lab_kit.checkout import program
from lab_kit.configuration import Configuration
from lab_kit.toml import add_keys
from segment import assert_same_frame, reset

METRICS, PAGE = 9180, 9181
SECONDS_MAX = 0.5
LOAD_MAX = 4  # of the machine: above it, others take that time


class Listening(Configuration):
    """With metrics and page."""

    def toml(self, socket):
        return add_keys(super().toml(socket), "control", metrics_listen=f"127.0.0.1:{METRICS}",
                        page_listen=f"127.0.0.1:{PAGE}")


CONFIG = Listening(reuse="rebase", count=24)


def is_sanitized():
    return b"__asan_init" in program("sluice").read_bytes()


class Stop:
    """Every way to be in the middle of something, and what a stop made of it."""

    def __init__(self, wire, sluice):
        self.talks = {way: Talk(wire, sluice.fresh_service()) for way in test_expiry.WAYS}
        self.expected = {way: way(talk) for way, talk in self.talks.items()}
        wire.settle()
        for side in wire.sides:
            side.inbox.clear()
        hanging = self.hang_on(wire)
        begin = time.monotonic()
        sluice.process.send_signal(signal.SIGTERM)
        self.late = Talk(wire, sluice.fresh_service())
        syn = self.late.client.would_send("S")
        while sluice.process.poll() is None and time.monotonic() < begin + 30:
            self.late.client.sends_again(syn)
            time.sleep(0.002)
        self.seconds = time.monotonic() - begin
        self.status = sluice.process.wait()
        self.log = sluice.log()
        for held in hanging:
            held.close()
        for side in wire.sides:
            side.take_in()
        self.frames = list(wire.client.inbox), list(wire.backend.inbox)
        wire.client.inbox.clear()
        wire.backend.inbox.clear()

    @staticmethod
    def hang_on(wire):
        """Half-sent requests, and one that has been answered."""
        held = []
        with wire.namespace.inside():
            for port in (METRICS, PAGE) * 20:
                held.append(socket.create_connection(("127.0.0.1", port), 5))
                held[-1].sendall(b"GET /st")
            asked = socket.create_connection(("127.0.0.1", PAGE), 5)
        asked.sendall(b"GET /status.json HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b" 200 " in asked.recv(100)
        return [*held, asked]

    def at(self, end):
        return test_expiry.Silence.at(self, end)


@pytest.fixture(scope="module")
def stopped(links):
    links.namespace.ip("link", "set", "lo", "up")
    balancer = Balancer(links, CONFIG)
    try:
        yield Stop(links, balancer)
    finally:
        balancer.stop()


@pytest.mark.parametrize("way", test_expiry.WAYS, ids=lambda way: way.__name__)
def test_the_ends_of(stopped, way):
    talk, expected = stopped.talks[way], stopped.expected[way]
    client, backend = talk.client, talk.backend
    wanted = [], []
    # Whose SYN nobody has answered is told nothing: it sends it again, to whoever is here then.
    if expected and way is not test_expiry.an_unanswered_syn:
        wanted[0].append(reset(client.remote, client.address, expected.client_seq,
                               expected.client_ack))
    if expected and expected.backend_seq is not None:
        wanted[1].append(reset(backend.remote, backend.address, expected.backend_seq))
    for end, segments in zip((client, backend), wanted):
        frames = stopped.at(end)
        assert len(frames) == len(segments), [frame.hex() for frame in frames]
        for frame, segment in zip(frames, segments):
            assert_same_frame(frame, segment.frame(end.side.mac, end.side.mac_of(end.hop)))


def test_a_syn_meanwhile_is_told_nothing(stopped):
    assert stopped.at(stopped.late.client) == []
    # One that came before the signal did was passed on: then its backend is reset.
    vip = bytes(map(int, stopped.late.service.local.split(".")))
    passed = [frame for frame in stopped.frames[1] if frame[26:30] == vip]
    assert not passed or passed[-1][47] & 4, [frame.hex() for frame in passed]


def test_it_is_quick_and_says_so(stopped):
    assert stopped.status == 0, stopped.log
    assert "flows reset at both ends: " in stopped.log
    assert " error " not in stopped.log
    if not is_sanitized() and os.getloadavg()[0] < LOAD_MAX:
        assert stopped.seconds < SECONDS_MAX, stopped.log


def test_after_a_crash_each_end_learns_with_what_it_sends(links):
    """Its successor knows neither; a client that only receives cannot be told anything."""
    balancer = Balancer(links, Configuration(count=2))
    try:
        talk = Talk(links, balancer.fresh_service()).opens().chats()
        balancer.restart()
        talk.backend.sends("PA", b"to a client that only receives")
        talk.backend.gets_reset(talk.backend.expects)
        talk.client.gets_nothing()
        talk.client.sends("PA", b"so it says something")
        talk.client.gets_reset(talk.client.expects)
        talk.backend.gets_nothing()
        assert balancer.counters()["no_flow_outbound"] == 1
    finally:
        assert balancer.stop() == 0, balancer.last_log
