# SPDX-License-Identifier: BSD-3-Clause
"""The TSC's frequency, as core-bench tells it."""

import functools
import subprocess

from lab_kit.checkout import program


@functools.cache
def tsc_hz():
    done = subprocess.run([program("core-bench"), "tsc"], text=True,
                          capture_output=True, check=True)
    return int(done.stdout)
