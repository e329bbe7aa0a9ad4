# SPDX-License-Identifier: BSD-3-Clause
"""What the benches share: where things are, and how a failure is told."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONTROL_CORE = 0
WORKER_CORE = 1  # of whatever is measured; the other end of a two-process run has CONTROL_CORE


class BenchError(Exception):
    """A measurement that could not be made, in one line."""


def build_dir():
    return ROOT / os.environ.get("SLUICE_BUILD", "build")


def note(text):
    print(f"  ... {text}", file=sys.stderr, flush=True)
