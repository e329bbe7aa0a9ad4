# SPDX-License-Identifier: BSD-3-Clause
"""A switch with one trunk and access ports: `TRUNK PORT=VLAN[.VLAN][/PRIORITY]...`, the outer VLAN
first. For kernels without 8021q; frames are the kernel's own but for their tags.

A frame that comes in by a port gets the port's tags, and one of the trunk goes to the port that has
its tags, without them. Whatever has none or others goes nowhere.
"""

import select
import socket
import struct
import sys

SOL_PACKET, PACKET_AUXDATA, PACKET_IGNORE_OUTGOING = 263, 8, 23
TP_STATUS_VLAN_VALID = 1 << 4
TYPES = (0x8100, 0x88a8)


class Port:
    def __init__(self, name):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.socket.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        self.socket.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.bind((name, 3))

    def receive(self):
        """A frame without tags, and its tags, the outer one first, which the kernel takes off."""
        frame, ancillary, _, _ = self.socket.recvmsg(65536, 256)
        tags = []
        for level, kind, data in ancillary:
            if level == SOL_PACKET and kind == PACKET_AUXDATA:
                status, _, _, _, _, tci, _ = struct.unpack("IIIHHHH", data)
                if status & TP_STATUS_VLAN_VALID:
                    tags.append(tci)
        while struct.unpack("!H", frame[12:14])[0] in TYPES:
            tags.append(struct.unpack("!H", frame[14:16])[0])
            frame = frame[:12] + frame[16:]
        return frame, tags


def main():
    trunk = Port(sys.argv[1])
    ports = {}  # by VLANs: port, what goes between the MACs and the type
    for words in sys.argv[2:]:
        name, tags = words.split("=")
        tags, _, priority = tags.partition("/")
        vlans = tuple(map(int, tags.split(".")))
        types = TYPES[:1] if len(vlans) == 1 else TYPES[::-1]
        head = b"".join(struct.pack("!HH", kind, int(priority or 0) << 13 | vlan)
                        for kind, vlan in zip(types, vlans))
        ports[vlans] = Port(name), head
    while True:
        ready, _, _ = select.select([trunk.socket, *(port.socket for port, _ in ports.values())],
                                    [], [])
        if trunk.socket in ready:
            frame, tags = trunk.receive()
            port, _ = ports.get(tuple(tag & 0xfff for tag in tags), (None, None))
            if port:
                port.socket.send(frame)
        for port, head in ports.values():
            if port.socket in ready:
                frame, _ = port.receive()
                trunk.socket.send(frame[:12] + head + frame[12:])


if __name__ == "__main__":
    main()
