# SPDX-License-Identifier: BSD-3-Clause
"""Hugepages for as long as something is measured; without the right to set them, none."""

import contextlib
from pathlib import Path

FILE = Path("/proc/sys/vm/nr_hugepages")
PAGE_MB = 2


@contextlib.contextmanager
def hugepages(wanted_mb):
    """Yields how many MB of 2 MB pages are to be had; what was set before is set again after."""
    try:
        before = int(FILE.read_text())
    except OSError:
        yield 0
        return
    try:
        yield _raise_to(before, wanted_mb // PAGE_MB)
    finally:
        with contextlib.suppress(OSError):
            FILE.write_text(f"{before}\n")


def _raise_to(before, pages):
    if pages > before:
        with contextlib.suppress(OSError):
            FILE.write_text(f"{pages}\n")
    return int(FILE.read_text()) * PAGE_MB
