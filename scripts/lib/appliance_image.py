# SPDX-License-Identifier: BSD-3-Clause
"""The appliance's disk: Debian with a kernel and systemd, and Sluice's package; made once for each
package, in build-appliance/."""

import hashlib
import re
import shutil
from pathlib import Path

from lab_kit.checkout import ROOT
from lab_kit.process import LabError, run

SUITE = "bookworm"
FOLDER = ROOT / "build-appliance"
SIZE = "3G"  # sparse
PACKAGES = ("systemd-sysv", "udev", "linux-image-amd64", "kmod", "iproute2", "driverctl",
            "procps", "python3")

# Commands come by the second serial port: a line of JSON each, and so the answer. A shell by SSH
# takes a second for each of them where the processor is emulated.
AGENT = r"""
import json, os, subprocess, sys, tty
descriptor = os.open("/dev/ttyS1", os.O_RDWR | os.O_NOCTTY)
tty.setraw(descriptor)
port = os.fdopen(descriptor, "r+b", buffering=0)
def say(answer):
    data = json.dumps(answer).encode() + b"\n"
    while data:
        data = data[port.write(data):]
say({"hello": True})
for line in iter(port.readline, b""):
    try:
        asked = json.loads(line)
    except ValueError:
        continue
    try:
        done = subprocess.run(asked["shell"], shell=True, text=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=asked["seconds"])
        say({"id": asked["id"], "status": done.returncode, "output": done.stdout})
    except subprocess.TimeoutExpired:
        say({"id": asked["id"], "status": -1, "output": "took too long"})
"""

UNIT = """
[Unit]
Description=Commands by the second serial port
[Service]
ExecStart=/usr/bin/python3 /usr/local/sbin/appliance-agent
StandardInput=null
Restart=always
[Install]
WantedBy=multi-user.target
"""

# The disk's drivers alone: a smaller initrd is unpacked sooner.
SET_UP = r"""
set -e
cd "$1"
mkdir -p etc/initramfs-tools/conf.d
printf 'MODULES=list\nCOMPRESS=gzip\n' > etc/initramfs-tools/conf.d/appliance
printf 'virtio_pci\nvirtio_blk\next4\n' > etc/initramfs-tools/modules
"""
FINISH = r"""
set -e
cd "$1"
install -D -m 755 {folder}/agent usr/local/sbin/appliance-agent
install -D -m 644 {folder}/unit etc/systemd/system/appliance-agent.service
chroot . systemctl -q enable appliance-agent
chroot . systemctl -q mask getty@tty1 serial-getty@ttyS0 serial-getty@ttyS1 \
  apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer fstrim.timer systemd-timesyncd \
  systemd-networkd-wait-online networking
echo appliance > etc/hostname
echo '/dev/vda / ext4 defaults 0 0' > etc/fstab
"""


def key_of(*parts):
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part if isinstance(part, bytes) else part.encode())
    return digest.hexdigest()[:12]


class Image:
    """`package` is a file; without, the one that scripts/package made. What it depends on is
    installed before, and kept, so that another package takes seconds."""

    def __init__(self, package=None):
        found = [Path(package)] if package else list((ROOT / "build-package").glob("sluice_*.deb"))
        if len(found) != 1 or not found[0].exists():
            raise LabError("there is no package: run scripts/package, or name it: SLUICE_PACKAGE=")
        self.package = found[0].resolve()
        depends = run("dpkg-deb", "--field", self.package, "Pre-Depends", "Depends")
        words = re.sub(r"(?m)^[A-Za-z-]+:", ",", depends).split(",")
        self.names = sorted({re.split(r"[ :(]", word.strip())[0] for word in words} - {""})
        base = key_of(SUITE, AGENT, UNIT, SET_UP, FINISH, *PACKAGES, *self.names)
        self.root = FOLDER / f"base-{base}"
        self.folder = FOLDER / f"disk-{key_of(base, SIZE, self.package.read_bytes())}"
        self.disk = self.folder / "disk"
        self.kernel = self.folder / "vmlinuz"
        self.initrd = self.folder / "initrd"

    def make(self):
        if not self.root.exists():
            shutil.rmtree(FOLDER, ignore_errors=True)
            FOLDER.mkdir()
            self._make_root()
        if not self.disk.exists():
            for old in FOLDER.glob("disk-*"):
                shutil.rmtree(old)
            self.folder.mkdir()
            self._make_disk()
        return f"{self.package.name}, {self.folder.relative_to(ROOT)}"

    def _make_root(self):
        part = FOLDER / "part"
        for name, text in (("agent", AGENT), ("unit", UNIT), ("set-up", "#!/bin/sh" + SET_UP),
                           ("finish", "#!/bin/sh" + FINISH.format(folder=FOLDER))):
            (FOLDER / name).write_text(text)
            (FOLDER / name).chmod(0o755)
        include = ",".join([*PACKAGES, *self.names])
        run("mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", f"--include={include}",
            f"--essential-hook={FOLDER}/set-up \"$1\"",
            f"--customize-hook={FOLDER}/finish \"$1\"", SUITE, part)
        part.rename(self.root)

    def _make_disk(self):
        root, part = self.folder / "root", self.disk.with_suffix(".part")
        run("cp", "-a", "--reflink=auto", self.root, root)
        shutil.copy(self.package, root / "tmp" / "sluice.deb")
        run("chroot", root, "dpkg", "--install", "/tmp/sluice.deb")
        for name, file in (("vmlinuz", self.kernel), ("initrd.img", self.initrd)):
            (found,) = (root / "boot").glob(f"{name}-*")
            shutil.copy(found, file)
        run("mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-d", root, part, SIZE)
        shutil.rmtree(root)
        part.rename(self.disk)
