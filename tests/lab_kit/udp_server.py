# SPDX-License-Identifier: BSD-3-Clause
"""A server of datagrams: `udp_server.py ADDRESS PORT`. PING is answered with PONG, what looks like
a DNS query with the address 192.0.2.7, and nothing else at all."""

import socket
import struct
import sys

ANSWER = struct.pack("!HHHIH", 0xc00c, 1, 1, 60, 4) + bytes([192, 0, 2, 7])
HEADER_LENGTH = 12


def answer(question):
    if question == b"PING\n":
        return b"PONG\n"
    if len(question) <= HEADER_LENGTH:
        return None
    counts = struct.pack("!HHHH", 1, 1, 0, 0)
    return question[:2] + b"\x81\x80" + counts + question[HEADER_LENGTH:] + ANSWER


def main():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((sys.argv[1], int(sys.argv[2])))
        while True:
            question, client = server.recvfrom(2048)
            if said := answer(question):
                server.sendto(said, client)


if __name__ == "__main__":
    main()
