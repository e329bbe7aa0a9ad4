# SPDX-License-Identifier: BSD-3-Clause
"""The package that scripts/package built, and a clean Debian that it is installed in, once."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from lab_kit.checkout import ROOT
from lab_kit.process import run

SUITE = "bookworm"


@pytest.fixture(scope="session")
def package():
    found = [path for path in (ROOT / "build-package").glob("sluice_*.deb")]
    if len(found) != 1:
        pytest.exit("there is no package: run scripts/package", 2)
    return found[0]


class CleanRoot:
    """Debian's essential packages, Sluice, and what it depends on; nothing recommended."""

    def __init__(self, package):
        self.path = Path(tempfile.mkdtemp(prefix="sluice-root-")) / "root"
        run("mmdebstrap", "--quiet", "--mode=root", "--variant=essential", f"--include={package}",
            "--hook-dir=/usr/share/mmdebstrap/hooks/file-mirror-automount", SUITE, self.path)

    def close(self):
        shutil.rmtree(self.path.parent)

    def run(self, *words, check=True, **options):
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8",
                       "DEBIAN_FRONTEND": "noninteractive"}
        return run("chroot", self.path, *words, check=check, env=environment,
                   stdin=subprocess.DEVNULL, **options)

    def installs(self, package):
        """As apt does: a configuration that was changed is kept without a question."""
        shutil.copy(package, self.path / "tmp" / "sluice.deb")
        return self.run("dpkg", "--force-confdef", "--install", "/tmp/sluice.deb")

    def unit(self):
        """The settings of the service, by name."""
        text = (self.path / "usr/lib/systemd/system/sluice.service").read_text()
        settings = {}
        for name, value in re.findall(r"(?m)^(\w+)=(.*)$", text):
            settings.setdefault(name, []).append(value)
        return settings


@pytest.fixture(scope="session")
def root(package):
    if os.geteuid() != 0:
        pytest.exit("a clean root is made by root", 2)
    root = CleanRoot(package)
    yield root
    root.close()
