# SPDX-License-Identifier: BSD-3-Clause
"""A virtual machine with two cards of a model in the place of the lab's middle, and the lines to
it: commands by its second serial port, QEMU's own by its monitor.

In the lab's balancer namespace each card's tap is bridged with the veth that the middle would have.
"""

import fcntl
import json
import os
import select
import shutil
import socket
import struct
import subprocess
import time
from dataclasses import dataclass

from lab_kit.process import LabError, run, stop_process

CPU = "Nehalem"  # has what x86-64-v2 asks for, and nothing that is slow to emulate
BOOT_SECONDS = 300
COMMAND_SECONDS = 60
SIDES = ("client", "backend")
ADDRESSES = {"client": "0000:00:05.0", "backend": "0000:00:06.0"}
MACS = {"client": "52:54:00:00:00:05", "backend": "52:54:00:00:00:06"}
LINKS = {"client": "lb-client", "backend": "lb-backend"}

TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI, IFF_VNET_HDR, IFF_MULTI_QUEUE = 0x0002, 0x1000, 0x4000, 0x0100


@dataclass(frozen=True)
class Model:
    device: str  # QEMU's
    options: str = ""
    queues: int = 1  # of the tap
    iommu: bool = True  # the guest has a virtual one: vfio-pci; else uio_pci_generic


VIRTIO = "disable-legacy=on"
MODELS = {
    "e1000": Model("e1000"),
    "e1000e": Model("e1000e"),
    "igb": Model("igb"),
    "vmxnet3": Model("vmxnet3"),
    "virtio": Model("virtio-net-pci", f"{VIRTIO},iommu_platform=on"),
    "virtio-mq": Model("virtio-net-pci", f"{VIRTIO},iommu_platform=on,mq=on,vectors=8", 3),
    "virtio-rss": Model("virtio-net-pci", f"{VIRTIO},iommu_platform=on,mq=on,vectors=8,rss=on", 3),
    "e1000e-uio": Model("e1000e", iommu=False),
}


def accelerator():
    """KVM where it gives a guest all of the processor that the package is made for."""
    tried = subprocess.run(["qemu-system-x86_64", "-machine", "q35", "-accel", "kvm", "-cpu",
                            f"{CPU},enforce", "-S", "-display", "none", "-nodefaults", "-monitor",
                            "stdio"], input="quit\n", text=True, capture_output=True)
    return "kvm,kernel-irqchip=split" if tried.returncode == 0 else "tcg,thread=multi"


def lacks(model):
    """Why a model cannot be had here, or nothing."""
    if shutil.which("qemu-system-x86_64") is None:
        return "not tried: there is no qemu-system-x86_64 (apt install qemu-system-x86)"
    known = subprocess.run(["qemu-system-x86_64", "-device", f"{model.device},help"],
                           text=True, capture_output=True)
    if known.returncode == 0:
        return None
    version = run("qemu-system-x86_64", "--version").splitlines()[0]
    return f"not tried, since {version} has no such card"


class Machine:
    """A context manager: it boots with boot(), and is switched off at the end of the block."""

    def __init__(self, lab, image, model):
        self.lab, self.image, self.model = lab, image, model
        self.workers = 1
        self.work = None
        self.taps, self.process, self.asked = [], None, 0

    def __enter__(self):
        self.work = self.lab.work / "machine"
        self.work.mkdir()
        for side in SIDES:
            self._bridge(side)
        return self

    def __exit__(self, *error):
        if self.process:
            stop_process(self.process)
        for descriptors in self.taps:
            for descriptor in descriptors:
                os.close(descriptor)

    # ---- around it -----------------------------------------------------------------------------

    def _bridge(self, side):
        balancer, tap, bridge = self.lab.balancer, f"tap-{side}", f"br-{side}"
        flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | (IFF_MULTI_QUEUE * (self.model.queues > 1))
        descriptors = []
        with balancer.inside():
            for _ in range(self.model.queues):
                descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
                fcntl.ioctl(descriptor, TUNSETIFF, struct.pack("16sH22x", tap.encode(), flags))
                os.set_inheritable(descriptor, True)
                descriptors.append(descriptor)
        self.taps.append(descriptors)
        # LLDP is not forwarded by a bridge unless it is told to.
        balancer.ip("link", "add", bridge, "type", "bridge", "group_fwd_mask", "0x4000",
                    "mcast_snooping", "0")
        for name in (tap, LINKS[side]):
            balancer.ip("link", "set", name, "master", bridge, "up")
        balancer.ip("link", "set", bridge, "up")

    def _card_words(self, number, side):
        model = self.model
        descriptors = ":".join(map(str, self.taps[number]))
        word = "fds" if model.queues > 1 else "fd"
        options = f",{model.options}" if model.options else ""
        slot = ADDRESSES[side].split(":")[2].split(".")[0]
        return ["-netdev", f"tap,id={side},{word}={descriptors},vhost=off",
                "-device", f"{model.device},id=card-{side},netdev={side},mac={MACS[side]},"
                           f"bus=pcie.0,addr=0x{slot}{options}"]

    def _words(self):
        iommu = ["-device", "intel-iommu,intremap=on,caching-mode=on"] if self.model.iommu else []
        cards = [word for number, side in enumerate(SIDES)
                 for word in self._card_words(number, side)]
        append = "root=/dev/vda rw console=ttyS0 quiet hugepages=400 nokaslr mitigations=off"
        if self.model.iommu:
            append += " intel_iommu=on iommu=pt"
        return ["qemu-system-x86_64", "-machine", "q35", "-accel", accelerator(), "-cpu", CPU,
                "-smp", "3", "-m", "1792", "-display", "none", "-nodefaults", *iommu,
                "-kernel", str(self.image.kernel), "-initrd", str(self.image.initrd),
                "-append", append,
                "-drive", f"file={self.image.disk},format=raw,if=virtio,snapshot=on",
                "-serial", f"file:{self.work}/console",
                "-chardev", f"socket,id=commands,path={self.work}/commands,server=on,wait=off",
                "-serial", "chardev:commands",
                "-qmp", f"unix:{self.work}/qmp,server=on,wait=off", *cards]

    def boot(self):
        """Returns the seconds that it took until it answered."""
        begun = time.monotonic()
        descriptors = [one for tap in self.taps for one in tap]
        self.process = subprocess.Popen(self._words(), pass_fds=descriptors,
                                        stdin=subprocess.DEVNULL, start_new_session=True,
                                        stdout=open(self.work / "qemu", "w"),
                                        stderr=subprocess.STDOUT)
        self.line = self._connect("commands")
        self.monitor = self._connect("qmp")
        self._receive(self.monitor, COMMAND_SECONDS)
        self.control("qmp_capabilities")
        self._receive(self.line, BOOT_SECONDS)
        return time.monotonic() - begun

    def _connect(self, name):
        deadline = time.monotonic() + 20
        while True:
            if self.process.poll() is not None:
                raise LabError("QEMU ended: " + (self.work / "qemu").read_text())
            peer = socket.socket(socket.AF_UNIX)
            try:
                peer.connect(str(self.work / name))
                return peer, bytearray()
            except OSError:
                peer.close()
                if time.monotonic() > deadline:
                    raise LabError(f"QEMU does not open {name}") from None
                time.sleep(0.1)

    def _receive(self, line, seconds):
        """The next line, as JSON."""
        peer, buffer = line
        deadline = time.monotonic() + seconds
        while b"\n" not in buffer:
            left = deadline - time.monotonic()
            if left <= 0 or self.process.poll() is not None:
                tail = (self.work / "console").read_text(errors="replace")[-1500:]
                raise LabError("the machine does not answer; its console ends with\n" + tail)
            if select.select([peer], [], [], min(left, 1))[0]:
                buffer += peer.recv(65536)
        text, _, rest = bytes(buffer).partition(b"\n")
        buffer[:] = rest
        return json.loads(text)

    def accelerator(self):
        return "by KVM" if self.control("query-kvm")["enabled"] else "by emulation"

    # ---- lines to it ---------------------------------------------------------------------------

    def control(self, command, **arguments):
        """A command of QEMU's monitor (QMP)."""
        message = {"execute": command, "arguments": arguments}
        self.monitor[0].sendall(json.dumps(message).encode() + b"\n")
        while True:
            answer = self._receive(self.monitor, COMMAND_SECONDS)
            if "error" in answer:
                raise LabError(f"{command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    def set_link(self, side, up):
        self.control("set_link", name=f"card-{side}", up=up)

    def ask(self, shell, seconds=COMMAND_SECONDS):
        """Status and output of a command in the guest."""
        self.asked += 1
        message = {"id": self.asked, "shell": shell, "seconds": seconds}
        self.line[0].sendall(json.dumps(message).encode() + b"\n")
        while True:
            answer = self._receive(self.line, seconds + 30)
            if answer.get("id") == self.asked:
                return answer["status"], answer["output"]

    def run(self, shell, seconds=COMMAND_SECONDS):
        """What a command that succeeds says."""
        status, output = self.ask(shell, seconds)
        if status != 0:
            raise LabError(f"{shell.splitlines()[0][:100]}: {output.strip()}")
        return output

    def write(self, path, text):
        self.run(f"cat > {path} <<'END-OF-FILE'\n{text}\nEND-OF-FILE")

    def show(self, what):
        return json.loads(self.run(f"sluicectl show {what} --json"))[what]

    def findings(self):
        status, output = self.ask("sluicectl status --json")
        return json.loads(output)["findings"] if output.startswith("{") else []

    def journal(self):
        return self.ask("journalctl -u sluice -o cat --no-pager -n 60")[1]

