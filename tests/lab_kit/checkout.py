# SPDX-License-Identifier: BSD-3-Clause
"""Where the tree is, the build that is to be used, and its programs."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = {
    "sluice": "control/sluice",
    "sluicectl": "control/sluicectl",
    "churn": "tests/tools/churn",
    "synflood": "tests/tools/synflood",
    "core-bench": "tests/bench/core-bench",
    "generator": "tests/bench/generator",
    "round-trip": "tests/bench/round-trip",
}


def build_dir():
    return ROOT / os.environ.get("SLUICE_BUILD", "build")


def program(name):
    return build_dir() / PROGRAMS[name]


def what_is_missing(*names):
    """What a run as root with these programs lacks, in words; nothing when it can begin."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    missing = [str(program(name)) for name in names if not program(name).exists()]
    return f"{missing[0]} is not built: run scripts/build" if missing else None
