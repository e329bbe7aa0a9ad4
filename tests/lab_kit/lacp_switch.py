# SPDX-License-Identifier: BSD-3-Clause
"""A switch that bonds some of its ports (LACP, IEEE 802.3 43.4) and has one: `ACCESS MEMBER...`.

It speaks first and asks for the short timeout, uses the members that answer it, and spreads frames
over them by addresses and ports. A line "pull MEMBER" on its standard input ends that member's link
as far as it is concerned.
"""

import select
import socket
import struct
import sys
import time
import zlib

PACKET_IGNORE_OUTGOING, SOL_PACKET = 23, 263
SLOW_MULTICAST, SLOW_TYPE, LACP = bytes.fromhex("0180c2000002"), 0x8809, 1
SYSTEM = bytes.fromhex("02000000fefe")
COLLECTING = 0x10
# Active, short timeout, aggregation, in sync, collecting, distributing.
STATE = 0x3f
TIMEOUT_SECONDS = 3
NOBODY = bytes(15)


class Port:
    def __init__(self, name):
        self.name = name
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.socket.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.bind((name, 3))
        self.partner, self.heard = NOBODY, 0.0

    def send(self, frame):
        try:
            self.socket.send(frame)
        except OSError:
            pass  # down

    def receive(self):
        try:
            return self.socket.recv(65536)
        except OSError:
            return None

    def is_used(self):
        return (time.monotonic() - self.heard < TIMEOUT_SECONDS
                and self.partner[14] & COLLECTING)

    def send_pdu(self, number):
        actor = struct.pack("!H6sHHHB", 0x8000, SYSTEM, 1, 0x8000, number, STATE)
        pdu = struct.pack("!BBBB15s3xBB15s3xBBH12xBB50x", LACP, 1, 1, 20, actor, 2, 20,
                          self.partner, 3, 16, 0, 0, 0)
        self.send(SLOW_MULTICAST + SYSTEM + struct.pack("!H", SLOW_TYPE) + pdu)

    def take_pdu(self, frame):
        """What the other end says of itself is what it hears back."""
        self.partner, self.heard = frame[18:33], time.monotonic()


def main():
    access, members = Port(sys.argv[1]), [Port(name) for name in sys.argv[2:]]
    pulled, next_pdu = set(), 0.0
    while True:
        sources = [sys.stdin, access.socket, *(member.socket for member in members)]
        ready, _, _ = select.select(sources, [], [], 0.2)
        now = time.monotonic()
        if now >= next_pdu:
            next_pdu = now + 1
            for number, member in enumerate(members):
                if member.name not in pulled:
                    member.send_pdu(number + 1)
        if sys.stdin in ready:
            pulled.add(sys.stdin.readline().split()[1])
        if access.socket in ready:
            frame = access.receive()
            used = [m for m in members if m.name not in pulled and m.is_used()]
            if frame and used:
                used[zlib.crc32(frame[26:38]) % len(used)].send(frame)
        for number, member in enumerate(members):
            if member.socket not in ready:
                continue
            frame = member.receive()
            if not frame or member.name in pulled:
                continue
            if frame[12:15] == struct.pack("!HB", SLOW_TYPE, LACP):
                member.take_pdu(frame)
                member.send_pdu(number + 1)
            elif frame[12:14] != struct.pack("!H", SLOW_TYPE):
                access.send(frame)


if __name__ == "__main__":
    main()
