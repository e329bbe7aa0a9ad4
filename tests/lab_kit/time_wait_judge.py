# SPDX-License-Identifier: BSD-3-Clause
"""How SYNs and TIME_WAIT met at a backend, judged by a capture with SIGNALS."""

from lab_kit.capture import FIN, RST, SYN

TIME_WAIT_SECONDS = 60


class Tuple:
    """What a capture at a backend has shown of one tuple so far."""

    __slots__ = ("state", "client_fin", "backend_first", "time_wait_from", "syn")

    def __init__(self):
        self.state = "closed"
        self.client_fin = None
        self.backend_first = False
        self.time_wait_from = None
        self.syn = None


class Verdict:
    """How SYNs and TIME_WAIT met at one backend. Counted from its capture, by its own order."""

    def __init__(self):
        self.syns = 0
        self.retransmitted = 0  # SYNs that are a copy of the last one of their tuple
        self.tuples = 0
        self.on_time_wait = 0  # SYNs to a tuple that the backend held in TIME_WAIT
        self.stale_acks = 0  # SYNs answered by a bare ACK
        self.resets_to_syn = 0
        self.left_in_time_wait = 0

    def __repr__(self):
        return ", ".join(f"{name} {value}" for name, value in vars(self).items())


def judge(packets, backend_port):
    """Follows every tuple of a backend's port through a capture with SIGNALS."""
    verdict = Verdict()
    tuples = {}
    for packet in packets:
        if packet.dst[1] == backend_port:
            inbound(tuples.setdefault(packet.src, Tuple()), packet, verdict)
        elif packet.src[1] == backend_port and packet.dst in tuples:
            outbound(tuples[packet.dst], packet, verdict)
    verdict.tuples = len(tuples)
    return verdict


def inbound(entry, packet, verdict):
    if packet.flags & SYN:
        if entry.state == "syn" and entry.syn == packet.seq:
            verdict.retransmitted += 1
            return
        verdict.syns += 1
        since = entry.time_wait_from
        if since is not None and packet.time - since < TIME_WAIT_SECONDS:
            verdict.on_time_wait += 1
        entry.__init__()
        entry.state, entry.syn = "syn", packet.seq
        entry.time_wait_from = since
    elif packet.flags & RST:
        # A reset clears TIME_WAIT (unless rfc1337 is set), and an open connection.
        entry.state, entry.time_wait_from = "closed", None
    elif packet.flags & FIN:
        entry.client_fin = (packet.seq + packet.payload + 1) & 0xffffffff
        if entry.backend_first:
            if entry.time_wait_from is None:
                verdict.left_in_time_wait += 1
            entry.state, entry.time_wait_from = "time_wait", packet.time


def outbound(entry, packet, verdict):
    if packet.flags & SYN:
        entry.state, entry.time_wait_from = "open", None
    elif packet.flags & RST:
        verdict.resets_to_syn += entry.state == "syn"
        entry.state, entry.time_wait_from = "closed", None
    elif packet.flags & FIN:
        entry.backend_first |= entry.client_fin is None or packet.ack != entry.client_fin
    elif entry.state == "syn" and packet.payload == 0:
        verdict.stale_acks += 1
