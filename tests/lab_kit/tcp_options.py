# SPDX-License-Identifier: BSD-3-Clause
"""TCP options read from their bytes."""

import struct


def walk(options):
    """(kind, offset of the value, length of the value), up to the end or the first nonsense."""
    at = 0
    while at < len(options) and options[at] != 0:
        if options[at] == 1:
            at += 1
            continue
        length = options[at + 1] if at + 1 < len(options) else 0
        if length < 2 or at + length > len(options):
            return
        yield options[at], at + 2, length - 2
        at += length


def find_timestamps(options):
    """(TSval, TSecr), or None."""
    # As Linux lays them out on an open connection: captures have mostly those.
    if options[:4] == b"\x01\x01\x08\x0a" and len(options) >= 12:
        return struct.unpack_from("!II", options, 4)
    for kind, at, length in walk(options):
        if kind == 8 and length == 8:
            return struct.unpack_from("!II", options, at)
    return None
