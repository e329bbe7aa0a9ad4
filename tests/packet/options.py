# SPDX-License-Identifier: BSD-3-Clause
"""TCP options as bytes: the common ones, and the corrections that a fit makes inside them."""

import struct

from lab_kit.tcp_options import walk

NOP = b"\x01"
END = b"\x00"
SACK_PERMITTED = b"\x04\x02"
TIMESTAMPS_LENGTH = 10


def mss(size=1460):
    return struct.pack("!BBH", 2, 4, size)


def window_scale(shift):
    return struct.pack("!BBB", 3, 3, shift)


def timestamps(tsval, tsecr=0):
    return struct.pack("!BBII", 8, TIMESTAMPS_LENGTH, tsval % 2**32, tsecr % 2**32)


def sack(*blocks):
    """Blocks are (left edge, right edge)."""
    edges = b"".join(struct.pack("!II", left % 2**32, right % 2**32) for left, right in blocks)
    return struct.pack("!BB", 5, 2 + len(edges)) + edges


def of_syn(tsval, tsecr=0, scale=7):
    """As Linux writes them; without timestamps when `tsval` is None."""
    middle = NOP + NOP + SACK_PERMITTED
    if tsval is not None:
        middle = SACK_PERMITTED + timestamps(tsval, tsecr)
    return mss() + middle + NOP + window_scale(scale)


def of_segment(tsval, tsecr):
    return NOP + NOP + timestamps(tsval, tsecr) if tsval is not None else b""


def shifted(options, tsval=0, tsecr=0, edges=0):
    """The list with these numbers added; everything else, padding too, as it was."""
    out = bytearray(options)

    def add(offset, addend):
        (number,) = struct.unpack_from("!I", out, offset)
        struct.pack_into("!I", out, offset, (number + addend) % 2**32)

    for kind, at, length in walk(options):
        if kind == 8 and length == 8:
            add(at, tsval)
            add(at + 4, tsecr)
        elif kind == 5 and length > 0 and length % 8 == 0:
            for offset in range(at, at + length, 4):
                add(offset, edges)
    return bytes(out)
