# SPDX-License-Identifier: BSD-3-Clause
"""Captures by tcpdump, and whose timestamps a SYN in them carries."""

import re
import signal
import struct
import subprocess
import time
from collections import namedtuple
from contextlib import contextmanager

from lab_kit.process import LabError
from lab_kit.tcp_options import find_timestamps

FIN, SYN, RST, ACK = 1, 2, 4, 16
SYNS = "tcp[13] & 18 == 2"
# What opens and ends connections, and a server's bare ACKs: the stale ACK is one.
BARE = "ip[2:2] - ((ip[0] & 15) << 2) - ((tcp[12] & 240) >> 2) == 0"
SIGNALS = f"tcp[13] & 7 != 0 or (tcp src portrange 80-8080 and {BARE})"
SNAP_BYTES = 128
BLOCK_SECONDS = 1.1  # within a second the kernel hands the last block over

# Time in seconds; src and dst are (ip as a number, port); payload is its length.
Packet = namedtuple("Packet", "time src dst seq ack flags payload options")
RECORD = struct.Struct("<IIII")
IP = struct.Struct("!BxHxxxxxBxxII")
TCP = struct.Struct("!HHIIBB")


def read_pcap(path):
    """Yields the TCP packets of a capture of Ethernet frames, in order."""
    data = path.read_bytes()
    if data[:4] not in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1"):
        raise LabError(f"{path}: not a little-endian pcap file")
    fraction = 1e-9 if data[:4] == b"\x4d\x3c\xb2\xa1" else 1e-6
    at = 24
    while at + 16 <= len(data):
        seconds, part, kept, _ = RECORD.unpack_from(data, at)
        packet = parse(seconds + part * fraction, data, at + 16)
        at += 16 + kept
        if packet:
            yield packet


def parse(when, data, frame):
    at = frame + 14
    version_length, total, protocol, src, dst = IP.unpack_from(data, at)
    if data[frame + 12:frame + 14] != b"\x08\x00" or protocol != 6:
        return None
    tcp = at + (version_length & 15) * 4
    sport, dport, seq, ack, offset, flags = TCP.unpack_from(data, tcp)
    end = tcp + (offset >> 4) * 4
    return Packet(when, (src, sport), (dst, dport), seq, ack, flags, total - (end - at),
                  data[tcp + 20:end])


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
        time.sleep(BLOCK_SECONDS)
        self.stop()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        summary = self.process.stderr.read()
        self.process.wait()
        dropped = re.search(r"(\d+) packets? dropped by kernel", summary)
        self.dropped = int(dropped[1]) if dropped else 0

    def packets(self):
        return read_pcap(self.path)


@contextmanager
def captures(lab, what, *namespaces):
    """One in each namespace for the length of a block; they end together."""
    running = [Capture(lab, namespace, what) for namespace in namespaces]
    yield running
    time.sleep(BLOCK_SECONDS)
    for capture in running:
        capture.stop()


def syns(packets):
    """The SYNs that ask for a connection."""
    return [packet for packet in packets if packet.flags & (SYN | ACK) == SYN]


def own_timestamps(client_packets, backend_packets):
    """Compares SYNs on both sides of the middle: (SYNs at the backends, those that carry a
    timestamp, those whose sequence and TSval are just what some client sent)."""
    def numbers(packets):
        """(sequence, TSval), the latter None without the option."""
        return [(packet.seq, (find_timestamps(packet.options) or [None])[0])
                for packet in syns(packets)]

    sent, arrived = set(numbers(client_packets)), numbers(backend_packets)
    stamped = [pair for pair in arrived if pair[1] is not None]
    return len(arrived), len(stamped), sum(pair in sent for pair in stamped)
