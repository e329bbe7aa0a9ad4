# SPDX-License-Identifier: BSD-3-Clause
"""A connection as its two ends speak it, with Sluice between them.

    talk.client.sends("PA", b"hello")      a segment leaves the client; numbers follow by themselves
    talk.backend.gets(segment)             what arrives is that segment, translated, to the byte

The expected frame is made from the segment that was sent: addresses, TTL, and the shift of a fitted
flow, which gets_fitted() reads from the SYN. Nothing is masked and nothing is left out.
"""

import itertools
import socket
from typing import NamedTuple

from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether

import options
from lab_kit.addresses import Endpoint
from lab_kit.tcp_options import find_timestamps
from segment import MODULUS, Segment, assert_same_frame, but, reset

_client_ports = itertools.cycle(range(20000, 60000))


class Shift(NamedTuple):
    """The backend's view less the client's, mod 2^32."""

    seq: int = 0
    tsval: int = 0


def newer(left, right):
    """Serial order: whether `left` comes after `right`."""
    return 0 < (left - right) % MODULUS < 1 << 31


def segment_of(frame):
    """What a frame says, without any claim about what else is in it."""
    packet = Ether(frame)
    ip, tcp = packet[IP], packet[TCP]
    rest = bytes(frame)[14 + ip.ihl * 4 + 20:14 + ip.len]
    size = tcp.dataofs * 4 - 20
    return Segment(Endpoint(ip.src, tcp.sport), Endpoint(ip.dst, tcp.dport), str(tcp.flags),
                   tcp.seq, tcp.ack, tcp.window, tcp.urgptr, rest[:size], rest[size:], ip.ttl,
                   ip.tos, ip.id, "DF" in str(ip.flags))


class End:
    """One end, and the numbers that it would keep."""

    def __init__(self, wire, side, address, remote, isn, clock):
        self.wire = wire
        self.side = side
        self.address = address
        self.remote = remote  # its peer, as it sees it
        self.isn = isn
        self.next = isn  # SND.NXT
        self.expects = 0  # RCV.NXT
        self.clock = clock  # its next TSval; None: no timestamps
        self.echo = 0  # the peer's last TSval
        self.hop = address.ip  # the station that has its frames: itself, or a gateway
        self.scale = 7

    def sends(self, flags, data=b"", **fields):
        """A segment, by default the next in order. Returns it."""
        segment = self.would_send(flags, data, **fields)
        if newer(segment.end, self.next):
            self.next = segment.end
        self.sends_again(segment)
        return segment

    def would_send(self, flags, data=b"", **fields):
        tsval = fields.pop("tsval", self.clock)
        if self.clock is not None:
            self.clock = (self.clock + 1) % MODULUS
        if "options" not in fields:
            echo = fields.pop("tsecr", self.echo if "A" in flags else 0)
            fields["options"] = (options.of_syn(tsval, echo, self.scale) if "S" in flags
                                 else options.of_segment(tsval, echo))
        fields.setdefault("seq", self.next)
        fields.setdefault("ack", self.expects if "A" in flags else 0)
        fields["seq"] %= MODULUS
        fields["ack"] %= MODULUS
        return Segment(self.address, self.remote, flags, data=data, **fields)

    def sends_again(self, segment):
        """The very same bytes, on the wire."""
        self.side.puts(segment.frame(self.side.mac_of(self.hop), self.side.mac))

    def gets(self, segment):
        """The next frame that arrives is this segment of the other end, translated."""
        return self._judge(self.wire.next_frame(self.side), self.talk.translated(segment, self))

    def gets_all(self, *segments):
        for segment in segments:
            self.gets(segment)

    def gets_reset(self, seq, ack=None):
        """The next frame is a RST of Sluice's own in the name of the peer, with these numbers."""
        expected = reset(self.remote, self.address, seq, ack)
        assert_same_frame(self.wire.next_frame(self.side), self._frame_of(expected))

    def gets_nothing(self):
        self.wire.settle()
        assert not self.side.inbox, Ether(self.side.inbox[0]).show(dump=True)

    def _frame_of(self, segment):
        return segment.frame(self.side.mac, self.side.mac_of(self.hop))

    def _judge(self, frame, expected):
        assert_same_frame(frame, self._frame_of(expected))
        if expected.length and (self.expects == 0 or newer(expected.end, self.expects)):
            self.expects = expected.end
        stamps = find_timestamps(expected.options)
        if stamps:
            self.echo = stamps[0]
        return expected


class Client(End):
    pass


class Backend(End):
    """Learns its peer, the local address and port, from the SYN."""

    def gets(self, segment):
        frame = self.wire.next_frame(self.side)
        if self.remote is None:
            self._learn_peer(frame)
        return self._judge(frame, self.talk.translated(segment, self))

    def gets_fitted(self, syn):
        """The SYN, whatever port and shift it was given; both hold from here on."""
        frame = self.wire.next_frame(self.side)
        self._learn_peer(frame)
        got = segment_of(frame)
        mine, theirs = (find_timestamps(s.options) for s in (syn, got))
        self.talk.shift = Shift((got.seq - syn.seq) % MODULUS,
                                (theirs[0] - mine[0]) % MODULUS if mine and theirs else 0)
        self.expects = 0
        return self._judge(frame, self.talk.translated(syn, self))

    def _learn_peer(self, frame):
        source = segment_of(frame).src
        first, last = self.talk.service.ports
        assert source.ip == self.talk.service.local and first <= source.port <= last, source
        self.remote = source


class Talk:
    """One connection: a client and a backend, and what Sluice has made of their numbers."""

    def __init__(self, wire, service, client_ip="10.1.3.7", client_port=None, isn=0x11112222,
                 backend_isn=0x77778888, tsval=1_000_000, backend_tsval=9_000_000, backend=None):
        self.service = service
        self.shift = Shift()
        address = Endpoint(client_ip, client_port or next(_client_ports))
        self.client = Client(wire, wire.client, address, service.vip, isn, tsval)
        self.backend = Backend(wire, wire.backend, backend or service.backends[0], None,
                               backend_isn, backend_tsval if tsval is not None else None)
        self.client.talk = self.backend.talk = self

    @property
    def local(self):
        return self.backend.remote

    def owns(self, frame, side):
        """Whether a frame that arrives at a side is one of this connection's."""
        if frame[12:14] != b"\x08\x00" or frame[14 + 9] != 6:
            return False
        tcp = 14 + (frame[14] & 15) * 4
        source, destination = (Endpoint(socket.inet_ntoa(frame[14 + address:18 + address]),
                                        int.from_bytes(frame[port:port + 2], "big"))
                               for address, port in ((12, tcp), (16, tcp + 2)))
        if side is self.client.side:
            return (source, destination) == (self.client.remote, self.client.address)
        return destination == self.backend.address and (
            source == self.local if self.local else source.ip == self.service.local)

    def translated(self, segment, to):
        """A segment of one end as the other must get it."""
        shift = self.shift
        if to is self.backend:
            seq, ack = segment.seq + shift.seq, segment.ack
            listed = options.shifted(segment.options, tsval=shift.tsval)
        else:
            seq, ack, listed = segment.seq, segment.ack, segment.options
            if "A" in segment.flags:  # otherwise neither field means anything
                ack -= shift.seq
                listed = options.shifted(listed, tsecr=-shift.tsval, edges=-shift.seq)
        return but(segment, src=to.remote, dst=to.address, ttl=segment.ttl - 1, options=listed,
                   seq=seq % MODULUS, ack=ack % MODULUS)

    # Stretches of a conversation that many tests have in common.

    def opens(self, fitted=False):
        """The handshake; every byte of it is judged."""
        syn = self.client.sends("S")
        (self.backend.gets_fitted if fitted else self.backend.gets)(syn)
        return self.is_answered()

    def is_answered(self):
        """The rest of the handshake."""
        self.client.gets(self.backend.sends("SA"))
        self.backend.gets(self.client.sends("A"))
        return self

    def chats(self, data=b"chatter"):
        """Data in both directions, acknowledged."""
        self.backend.gets(self.client.sends("PA", data))
        self.client.gets(self.backend.sends("PA", data[::-1]))
        self.backend.gets(self.client.sends("A"))
        return self

    def client_closes_first(self):
        """The backend goes through LAST_ACK and forgets the tuple."""
        self.backend.gets(self.client.sends("FA"))
        self.client.gets(self.backend.sends("FA"))
        self.backend.gets(self.client.sends("A"))
        return self

    def backend_closes_first(self):
        """The backend is left in TIME_WAIT."""
        self.client.gets(self.backend.sends("FA"))
        self.backend.gets(self.client.sends("FA"))
        self.client.gets(self.backend.sends("A"))
        return self
