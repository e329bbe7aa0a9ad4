# SPDX-License-Identifier: BSD-3-Clause
"""scripts/soak: a minute, and thirty. Nothing cheaper has all at once."""

import os
import subprocess

import pytest

from lab_kit.checkout import ROOT, build_dir


def soak(minutes):
    done = subprocess.run([ROOT / "scripts" / "soak", "--minutes", str(minutes)], text=True,
                          env=os.environ | {"SLUICE_BUILD": str(build_dir())},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout


@pytest.mark.nightly
def test_a_minute():
    soak(1)


@pytest.mark.nightly
def test_half_an_hour():
    soak(30)
