# SPDX-License-Identifier: BSD-3-Clause
"""Captures by tcpdump, and whose timestamps a SYN in them carries."""

import re
import signal
import struct
import subprocess
import time
from collections import namedtuple

from lab_kit.process import LabError
from lab_kit.tcp_options import find_timestamps

FIN, SYN, RST, ACK = 1, 2, 4, 16
SYNS = "tcp[13] & 18 == 2"
# What opens and ends connections, and a server's bare ACKs: the stale ACK is one.
BARE = "ip[2:2] - ((ip[0] & 15) << 2) - ((tcp[12] & 240) >> 2) == 0"
SIGNALS = f"tcp[13] & 7 != 0 or (tcp src portrange 80-8080 and {BARE})"
SNAP_BYTES = 128

# time in seconds; src and dst are (ip as a number, port); tsval and tsecr None without the option.
Packet = namedtuple("Packet", "time src dst seq ack flags payload tsval tsecr options")


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
    tsval, tsecr = find_timestamps(options) or (None, None)
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


def own_timestamps(client_packets, backend_packets):
    """Compares SYNs on both sides of the middle: (SYNs at the backends, those that carry a
    timestamp, those whose sequence and TSval are just what some client sent)."""
    sent = {(packet.seq, packet.tsval) for packet in syns(client_packets)}
    arrived = syns(backend_packets)
    stamped = [packet for packet in arrived if packet.tsval is not None]
    own = [packet for packet in stamped if (packet.seq, packet.tsval) in sent]
    return len(arrived), len(stamped), len(own)
