# SPDX-License-Identifier: BSD-3-Clause
"""The TSC's frequency, as core-bench tells it."""

import functools
import subprocess

from bench_common import build_dir


@functools.cache
def tsc_hz():
    done = subprocess.run([build_dir() / "tests" / "bench" / "core-bench", "tsc"], text=True,
                          capture_output=True, check=True)
    return int(done.stdout)
