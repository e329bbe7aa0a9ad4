# SPDX-License-Identifier: BSD-3-Clause
"""Captures and what they prove: whose timestamps a SYN carries, and how TIME_WAIT met each SYN."""

import re
import signal
import struct
import subprocess
import time
from collections import namedtuple

from lab_kit.topology import LabError

FIN, SYN, RST, ACK = 1, 2, 4, 16
SYNS = "tcp[13] & 18 == 2"
# What opens and ends connections, and a server's bare ACKs: the stale ACK is one.
BARE = "ip[2:2] - ((ip[0] & 15) << 2) - ((tcp[12] & 240) >> 2) == 0"
SIGNALS = f"tcp[13] & 7 != 0 or (tcp src portrange 80-8080 and {BARE})"
SNAP_BYTES = 128
TIME_WAIT_SECONDS = 60

# time in seconds; src and dst are (ip as a number, port); tsval and tsecr None without the option.
Packet = namedtuple("Packet", "time src dst seq ack flags payload tsval tsecr options")


def timestamps(options):
    """(TSval, TSecr) among the bytes of TCP options, or (None, None)."""
    if options[:4] == b"\x01\x01\x08\x0a":  # how Linux lays them out on an open connection
        return struct.unpack_from("!II", options, 4)
    at = 0
    while at < len(options) and options[at] != 0:
        if options[at] == 1:
            at += 1
            continue
        if at + 1 >= len(options) or options[at + 1] < 2:
            break
        if options[at] == 8 and at + 10 <= len(options):
            return struct.unpack_from("!II", options, at + 2)
        at += options[at + 1]
    return None, None


def read_pcap(path):
    """Yields the TCP packets of a capture of Ethernet frames, in order."""
    data = path.read_bytes()
    if data[:4] not in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1"):
        raise LabError(f"{path}: not a little-endian pcap file")
    fraction = 1e-9 if data[:4] == b"\x4d\x3c\xb2\xa1" else 1e-6
    at = 24
    while at + 16 <= len(data):
        seconds, part, kept, _ = struct.unpack_from("<IIII", data, at)
        packet = parse(seconds + part * fraction, data, at + 16)
        at += 16 + kept
        if packet:
            yield packet


def parse(when, data, frame):
    ip = frame + 14
    if data[frame + 12:frame + 14] != b"\x08\x00" or data[ip + 9] != 6:
        return None
    tcp = ip + (data[ip] & 15) * 4
    total, = struct.unpack_from("!H", data, ip + 2)
    src, dst = struct.unpack_from("!II", data, ip + 12)
    sport, dport, seq, ack, offset, flags = struct.unpack_from("!HHIIBB", data, tcp)
    header = (offset >> 4) * 4
    options = data[tcp + 20:tcp + header]
    tsval, tsecr = timestamps(options)
    return Packet(when, (src, sport), (dst, dport), seq, ack, flags,
                  total - (tcp - ip) - header, tsval, tsecr, options)


class Capture:
    """tcpdump on one interface for the length of a block."""

    def __init__(self, lab, namespace, what=SYNS, interface="eth0"):
        self.path = lab.work / f"{namespace.name}-{interface}-{time.monotonic_ns()}.pcap"
        words = ["tcpdump", "-i", interface, "-n", "-Z", "root", "-s", SNAP_BYTES, "-B", 65536,
                 "--time-stamp-precision=nano", "-w", self.path]
        self.process = namespace.start(*words, what, stderr=subprocess.PIPE, text=True)
        lab.processes.append(self.process)
        self.process.stderr.readline()  # "listening on": it captures from here on
        self.dropped = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        time.sleep(1.1)  # the kernel hands its last block over within a second
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        summary = self.process.stderr.read()
        self.process.wait()
        dropped = re.search(r"(\d+) packets? dropped by kernel", summary)
        self.dropped = int(dropped[1]) if dropped else 0

    def packets(self):
        return read_pcap(self.path)


def syns(packets):
    """The SYNs that ask for a connection."""
    return [packet for packet in packets if packet.flags & (SYN | ACK) == SYN]


class Tuple:
    """What a capture at a backend has shown of one tuple so far."""

    __slots__ = ("state", "client_fin", "backend_first", "time_wait_from", "syn", "last_tsval",
                 "last_seq")

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


def own_timestamps(client_packets, backend_packets):
    """Compares SYNs on both sides of the middle: (SYNs at the backends, those that carry a
    timestamp, those whose sequence and TSval are just what some client sent)."""
    sent = {(packet.seq, packet.tsval) for packet in syns(client_packets)}
    arrived = syns(backend_packets)
    stamped = [packet for packet in arrived if packet.tsval is not None]
    own = [packet for packet in stamped if (packet.seq, packet.tsval) in sent]
    return len(arrived), len(stamped), len(own)
