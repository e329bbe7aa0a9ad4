# SPDX-License-Identifier: BSD-3-Clause
"""Before the first lab: what labs need, and that they are taken down whatever happens."""

import signal
import sys

import pytest

from lab_kit.checkout import what_is_missing


def pytest_sessionstart(session):
    if missing := what_is_missing("sluice", "sluicectl", "churn"):
        pytest.exit(missing, 2)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
