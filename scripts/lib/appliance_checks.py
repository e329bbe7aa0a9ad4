# SPDX-License-Identifier: BSD-3-Clause
"""What the appliance is asked to do, one function each; a machine's `workers` says with how many.

A check raises LabError or AssertionError with what went wrong.
"""

import hashlib
import json
import re
import struct
import subprocess
import threading

from appliance_machine import ADDRESSES, SIDES
from lab_kit.addresses import CLIENT_SIDE, VIP
from lab_kit.backend import PORT_KEEPALIVE
from lab_kit.frames import FRAME_MIN, ones_sum, put
from lab_kit.load import churn
from lab_kit.middles import LAB_TOML
from lab_kit.process import LabError, wait_until
from lab_kit.toml import set_key

PORTS = "1024-1055"  # 32 of them, for 2 backends that close first
START_SECONDS = 90
FLAP_SECONDS = 20
UIO = "/usr/share/doc/sluice/examples/uio.conf"
DROP_IN = "/etc/systemd/system/sluice.service.d"


def configuration(machine):
    text = set_key(LAB_TOML.read_text(), "socket", "/run/sluice/sluice.sock")
    text = set_key(text, "worker_lcores", list(range(1, machine.workers + 1)))
    text = set_key(text, "hugepages", True).replace("[control]", 'idle = "sleep"\n\n[control]', 1)
    text = set_key(text, "ports", PORTS)
    text = set_key(text, "flows_per_worker", 16384)
    for side, device in (("client", "net_af_packet0"), ("backend", "net_af_packet1")):
        text = re.sub(rf'device = "{device},.*"', f'device = "{ADDRESSES[side]}"', text)
    return text.replace('name = "client"', 'name = "client"\nkernel = "sluice0"')


def drivers(machine):
    return [machine.ask(f"basename $(readlink /sys/bus/pci/devices/{ADDRESSES[side]}/driver)")
            [1].strip() for side in SIDES]


def bind(machine):
    """By the steps of docs/hardware.md."""
    cards = " ".join(ADDRESSES.values())
    wanted = "vfio-pci" if machine.model.iommu else "uio_pci_generic"
    machine.run(f"sluice-bind-nic {'' if machine.model.iommu else '--uio '}--yes {cards}")
    if not machine.model.iommu:
        machine.run(f"mkdir -p {DROP_IN} && cp {UIO} {DROP_IN}/ && systemctl daemon-reload")
    assert drivers(machine) == [wanted, wanted], drivers(machine)


def start(machine):
    """Under systemd, as the unit has it, until it says that it is ready."""
    machine.write("/etc/sluice/sluice.toml", configuration(machine))
    status, output = machine.ask("systemctl restart sluice", START_SECONDS)
    if status != 0:
        last = machine.ask("journalctl -u sluice -p err -o cat --no-pager -n 3")[1]
        raise LabError((last or output).strip())
    wait_until(lambda: all(link_of(machine, side) == "up" for side in SIDES), FLAP_SECONDS,
               "a link does not come up")
    user = machine.run("ps -o user= -C sluice").split()[0]
    assert user == ("sluice" if machine.model.iommu else "root"), user
    status, output = machine.ask("sluicectl doctor --json")
    critical = [row["what"] for row in json.loads(output)["findings"]
                if row["severity"] == "critical"]
    assert not critical, critical[0]


def fetch(machine, path, seconds=30):
    url = f"http://{VIP}:{PORT_KEEPALIVE}{path}"
    return machine.lab.client.run("curl", "-sS", "--fail", "-m", str(seconds), url)


def http(machine):
    """Small answers by both backends, and a large one whose every byte is right."""
    for _ in range(10):
        assert len(fetch(machine, "/")) == 260
    wanted = hashlib.sha256((machine.lab.work / "www" / "letters10m").read_bytes()).hexdigest()
    body = fetch(machine, "/letters10m", 60).encode()
    assert hashlib.sha256(body).hexdigest() == wanted, f"{len(body)} bytes of 10,000,000 are right"


def churns(machine):
    """Connections that the backends close first, on 32 ports: all of them reused in TIME_WAIT."""
    report = churn(machine.lab, seconds=12, concurrency=8)
    assert report["opened"] > 200, f"only {report['opened']} connections in 12 s"
    assert report["failed"] == 0, f"{report['failed']} of {report['opened']} failed"
    assert report["stalls"] == 0, f"{report['stalls']} of {report['opened']} stalled"


def ping(machine):
    """Of the VIP, which Sluice answers, and of the interface, which the guest's kernel does."""
    for address in (VIP, CLIENT_SIDE):
        done = machine.lab.client.run("ping", "-c", "5", "-i", "0.3", "-W", "3", address,
                                      check=False)
        received = int(re.search(r"(\d+) received", done)[1])
        assert received >= 4, f"{received} of 5 pings of {address} answered"


# Counts frames of VRRP and LLDP at the kernel's tap.
LISTENER = """
import select, socket, time
tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
tap.bind(("sluice0", 0))
print("listening", flush=True)
seen, end = {"vrrp": 0, "lldp": 0}, time.monotonic() + 8
while time.monotonic() < end and not all(seen.values()):
    if not select.select([tap], [], [], 0.2)[0]:
        continue
    frame = tap.recv(2048)
    seen["vrrp"] += frame[12:14] == b"\\x08\\x00" and frame[23] == 112
    seen["lldp"] += frame[12:14] == b"\\x88\\xcc"
print(seen["vrrp"], seen["lldp"])
"""


def announcements():
    """VRRP by 224.0.0.18, and LLDP."""
    source = bytes.fromhex("00005e000107")
    body = struct.pack("!BBBBBBH4s", 0x21, 7, 100, 1, 0, 1, 0, bytes([10, 1, 255, 9]))
    ip = bytearray(struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 0, 0, 255, 112, 0,
                               bytes([10, 1, 255, 1]), bytes([224, 0, 0, 18])))
    struct.pack_into("!H", ip, 10, ones_sum(ip))
    vrrp = bytes.fromhex("01005e000012") + source + b"\x08\x00" + bytes(ip) + body
    lldp = bytes.fromhex("0180c200000e") + source + b"\x88\xcc" + b"\x02\x07\x04" + source + b"\0\0"
    return [frame.ljust(FRAME_MIN, b"\0") for frame in (vrrp, lldp)]


def multicast(machine):
    """What routers say reaches the tap of the guest's kernel."""
    machine.write("/tmp/listener", LISTENER)
    stop = threading.Event()

    def announce():
        while not stop.wait(0.3):
            put(machine.lab.client, announcements(), 1000)

    sender = threading.Thread(target=announce)
    sender.start()
    try:
        vrrp, lldp = machine.run("python3 /tmp/listener").splitlines()[-1].split()
    finally:
        stop.set()
        sender.join()
    assert vrrp != "0", "no VRRP reached the tap"
    assert lldp != "0", "no LLDP reached the tap"


def link_of(machine, side):
    return next(row["link"] for row in machine.show("interfaces") if row["name"] == side)


def flap(machine):
    """A link goes down and comes up: both are seen, and traffic goes on."""
    machine.set_link("backend", False)
    try:
        wait_until(lambda: link_of(machine, "backend") == "down", FLAP_SECONDS,
                   "the link is not seen down")
    finally:
        machine.set_link("backend", True)
    wait_until(lambda: link_of(machine, "backend") == "up", FLAP_SECONDS,
               "the link is not seen up")
    wait_until(lambda: answers(machine), FLAP_SECONDS, "no answer after the link was up again")
    log = machine.journal()
    assert "interface backend: link down" in log and "interface backend: link up" in log


def answers(machine):
    try:
        return len(fetch(machine, "/", 3)) == 260
    except LabError:
        return False


def restart(machine):
    machine.run("systemctl restart sluice", START_SECONDS)
    wait_until(lambda: answers(machine), FLAP_SECONDS, "no answer after a restart")


def well(machine):
    """What the status has to say at the end."""
    critical = [row["what"] for row in machine.findings() if row["severity"] == "critical"]
    assert not critical, critical[0]


def hand_back(machine):
    """To the kernel's own drivers, which have interfaces again."""
    machine.run("systemctl stop sluice", START_SECONDS)
    machine.run(f"sluice-bind-nic --undo --yes {' '.join(ADDRESSES.values())}")
    for side in SIDES:
        found = machine.ask(f"find /sys/bus/pci/devices/{ADDRESSES[side]}/ -maxdepth 3 -name 'e*' "
                            "-path '*/net/*'")[1]
        assert "/net/" in found, f"the kernel has no interface of the {side}'s card"


ALL = [start, http, churns, ping, multicast, flap, restart, well]
ESSENTIAL = [start]  # what all others need


def in_a_word(text, machine):
    """For a cell: the finding that says why, else the beginning of the complaint."""
    try:
        findings = machine.findings()
    except (LabError, ValueError, subprocess.SubprocessError):
        findings = []
    counter = next((match[1] for row in findings
                    if (match := re.search(r"lately, (\w+):", row["what"]))), None)
    return counter or " ".join(text.split()[:6])
