# SPDX-License-Identifier: BSD-3-Clause
"""Frames made by hand, thousands in a moment: sent out of a namespace, or written to a file."""

import socket
import struct
import subprocess

FRAME_MIN = 60  # bytes; shorter ones are padded

# Sends the frames that it reads (length, bytes) at a rate, on a packet socket of its namespace.
SENDER = """
import socket, struct, sys, time
blob, frames = sys.stdin.buffer.read(), []
while blob:
    size = struct.unpack_from("!H", blob)[0]
    frames.append(blob[2:2 + size])
    blob = blob[2 + size:]
out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
out.bind(("eth0", 0))
begin, rate = time.monotonic(), float(sys.argv[1])
for sent, frame in enumerate(frames):
    ahead = begin + sent / rate - time.monotonic()
    if ahead > 0.002:
        time.sleep(ahead)
    try:
        out.send(frame)
    except OSError:
        pass
"""


def ones_sum(data):
    """The Internet checksum (RFC 1071) of an even or odd number of bytes."""
    data = bytes(data) + b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def tcp_frame(macs, source, destination, flags, sequence, acknowledgement=0, payload=b""):
    """A frame with right checksums. `macs` are 12 bytes: to whom, from whom; `source` and
    `destination` are (address, port)."""
    addresses = b"".join(socket.inet_aton(str(end[0])) for end in (source, destination))
    tcp = bytearray(struct.pack("!HHIIBBHHH", source[1], destination[1], sequence, acknowledgement,
                                5 << 4, flags, 64240, 0, 0) + payload)
    pseudo = addresses + struct.pack("!HH", 6, len(tcp))
    struct.pack_into("!H", tcp, 16, ones_sum(pseudo + tcp))
    ip = bytearray(struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0x4000, 64, 6, 0))
    ip += addresses
    struct.pack_into("!H", ip, 10, ones_sum(ip))
    return (macs + b"\x08\x00" + bytes(ip) + bytes(tcp)).ljust(FRAME_MIN, b"\0")


def write_pcap(path, frames):
    head = struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1)
    path.write_bytes(head + b"".join(
        struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame for frame in frames))


def put(namespace, frames, rate):
    """Sends frames out of a namespace's eth0, so many a second."""
    blob = b"".join(struct.pack("!H", len(frame)) + frame for frame in frames)
    words = namespace.command("/usr/bin/python3", "-c", SENDER, rate)
    subprocess.run(words, input=blob, check=True)
