# SPDX-License-Identifier: BSD-3-Clause
"""`sluice --check` takes what there is room for, whole, and says what there is none for."""

import subprocess

import pytest

from lab_kit.checkout import program
from lab_kit.large_configuration import large_configuration

pytestmark = pytest.mark.skipif(not program("sluice").exists(), reason="sluice is not built")


def check(folder, text):
    file = folder / "sluice.toml"
    file.write_text(text)
    return subprocess.run([program("sluice"), "--check", "--config", file], text=True,
                          capture_output=True, timeout=300)


@pytest.mark.parametrize("inline", (False, True))
def test_a_thousand_services_of_a_hundred_backends(tmp_path, inline):
    done = check(tmp_path, large_configuration(1000, 100, 1, inline))
    assert done.returncode == 0, done.stderr[-2000:]


def test_ten_thousand_backends_behind_four_addresses(tmp_path):
    done = check(tmp_path, large_configuration(100, 100, 4))
    assert done.returncode == 0, done.stderr[-2000:]


def test_a_mistake_in_the_last_of_them(tmp_path):
    text = large_configuration(1000, 100, 1).rstrip("\n") + "0000\n"  # its weight
    done = check(tmp_path, text)
    assert done.returncode == 2
    assert f":{len(text.splitlines())}: service.backend.weight: got" in done.stderr
