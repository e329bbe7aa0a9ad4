# SPDX-License-Identifier: BSD-3-Clause
"""What a backend in TIME_WAIT does with a new SYN: the design's table, with the edges of each row.

Numbers of the new SYN stand as distances from the last ones of the old connection; a TSval of None
is a client without timestamps.
"""

from typing import NamedTuple, Optional

HALF = 1 << 31


class Row(NamedTuple):
    name: str
    old_tsval: Optional[int]
    seq: int  # beyond the next number that the backend expected
    tsval: Optional[int]  # beyond the last TSval that it saw
    linux_takes: bool

    def __str__(self):
        return self.name.replace(" ", "-")


OLD = 1_000_000
NONE = None

ROWS = [
    Row("no timestamps, sequence lower", NONE, -1, NONE, False),
    Row("no timestamps, sequence much lower", NONE, -2**30, NONE, False),
    Row("no timestamps, sequence equal", NONE, 0, NONE, False),
    Row("no timestamps, sequence lower with a timestamp", NONE, -1, 0, False),
    Row("no timestamps, sequence higher", NONE, 1, NONE, True),
    Row("no timestamps, sequence much higher", NONE, HALF - 1, NONE, True),
    Row("no timestamps, sequence higher with a timestamp", NONE, 1, 0, True),
    Row("timestamps, TSval higher, sequence lower", OLD, -1, 1, True),
    Row("timestamps, TSval higher, sequence equal", OLD, 0, 1, True),
    Row("timestamps, TSval higher, sequence higher", OLD, 1, 1, True),
    Row("timestamps, TSval much higher, sequence lower", OLD, -2**30, HALF - 1, True),
    Row("timestamps, TSval lower, sequence higher", OLD, 1, -1, False),
    Row("timestamps, TSval much lower, sequence higher", OLD, HALF - 1, -2**30, False),
    Row("timestamps, TSval lower, sequence lower", OLD, -1, -1, False),
    Row("timestamps, TSval equal, sequence higher", OLD, 1, 0, True),
    Row("timestamps, TSval equal, sequence equal", OLD, 0, 0, False),
    Row("timestamps, TSval equal, sequence lower", OLD, -1, 0, False),
    Row("timestamps, no timestamp, sequence higher", OLD, 1, NONE, True),
    Row("timestamps, no timestamp, sequence lower", OLD, -1, NONE, False),
    Row("timestamps, no timestamp, sequence equal", OLD, 0, NONE, False),
    Row("TSval wraps, sequence lower", 2**32 - 6, -1, 100, True),
    Row("TSval before the wrap, sequence higher", 3, 1, -100, False),
]
# The sequence wraps in each of these: the old connection ends just below or above zero.
WRAPS = [0xffff_fff0, 0xffff_fffc, 0xffff_ffff, 0, 5]


def leave_behind(talk, opened=False):
    """Runs a connection until its backend is in TIME_WAIT."""
    return (talk if opened else talk.opens()).chats().backend_closes_first()


def new_numbers(old, row):
    """The numbers of a row's SYN, for a Talk. `old.client` stands where the backend does."""
    base = old.client.clock - 1 if row.old_tsval is not None else 50_000
    return {"isn": (old.client.next + row.seq) % 2**32,
            "tsval": None if row.tsval is None else (base + row.tsval) % 2**32}
