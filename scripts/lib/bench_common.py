# SPDX-License-Identifier: BSD-3-Clause
"""What the benches share: how a failure is told, and what goes on meanwhile."""

import sys

from lab_kit.process import LabError


class BenchError(LabError):
    """A measurement that could not be made, in one line."""


def note(text):
    print(f"  ... {text}", file=sys.stderr, flush=True)
