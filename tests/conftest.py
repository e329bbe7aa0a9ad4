# SPDX-License-Identifier: BSD-3-Clause
"""What all folders of pytest share: tests marked `nightly` run only when asked for."""

import os

import pytest


def pytest_collection_modifyitems(items):
    if os.environ.get("SLUICE_NIGHTLY") == "1":
        return
    for item in items:
        if item.get_closest_marker("nightly"):
            item.add_marker(pytest.mark.skip(reason="long: scripts/test --nightly runs it"))
