# SPDX-License-Identifier: BSD-3-Clause
"""`sluicectl support-bundle` of a running sluice: one file with all of it."""

import json
import tarfile

from lab_kit.configuration import Configuration

CONFIG = Configuration(count=1, ports=4)


def test_a_bundle_has_what_sluice_says(sluice, tmp_path):
    path = tmp_path / "bundle.tar.gz"
    said = sluice.ctl("support-bundle", "--output", path)
    assert str(path) in said and path.stat().st_mode & 0o777 == 0o600
    with tarfile.open(path) as archive:
        files = {member.name.split("/", 1)[1]: archive.extractfile(member).read().decode()
                 for member in archive.getmembers()}
    assert "ready; ask with" in files["log.txt"]
    assert "10.3." in files["configuration-in-force.toml"]
    assert files["configuration-in-force.toml"] == files["configuration-file.toml"]
    assert json.loads(files["show/counters.json"])["counters"]
    assert json.loads(files["status.json"])["findings"] is not None
    assert f"sluice {sluice.show('program')[0]['version']}\n" in files["versions.txt"]
    again = sluice.ctl_run("support-bundle", "--output", path)
    assert again.returncode == 1 and "File exists" in again.stderr
