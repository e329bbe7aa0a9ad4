# SPDX-License-Identifier: BSD-3-Clause
"""Hugepages of 2 MB for as long as they are needed; without the right to set them, none."""

import contextlib
from pathlib import Path

from lab_kit.process import run

POOL = Path("/sys/kernel/mm/hugepages/hugepages-2048kB")
PAGE_MB = 2


@contextlib.contextmanager
def hugepages(wanted_mb):
    """Yields how many MB are free, which may be less; what was set before is set again after."""
    try:
        before = (POOL / "nr_hugepages").read_text()
    except OSError:
        yield 0
        return
    try:
        lacking = wanted_mb // PAGE_MB - free_pages()
        if lacking > 0:
            set_pages(int(before) + lacking)
        yield free_pages() * PAGE_MB
    finally:
        set_pages(int(before))


def free_pages():
    return int((POOL / "free_hugepages").read_text())


def set_pages(count):
    with contextlib.suppress(OSError):
        (POOL / "nr_hugepages").write_text(f"{count}\n")


@contextlib.contextmanager
def mounted(kind, what, path, *options):
    """A file system, hugetlbfs say: processes share hugepages by its files."""
    run("mount", "-t", kind, *options, what, path)
    try:
        yield
    finally:
        run("umount", path)
