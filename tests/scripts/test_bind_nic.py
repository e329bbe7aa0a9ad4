# SPDX-License-Identifier: BSD-3-Clause
"""scripts/bind-nic on a machine made of files: what it shows, does, and refuses."""

import json
import os
import subprocess
from pathlib import Path

import pytest

BIND_NIC = Path(__file__).resolve().parents[2] / "scripts" / "bind-nic"


class Machine:
    """A sysfs, and an `ip` and a `driverctl` that answer from it and note what they are asked."""

    def __init__(self, root):
        self.root = root
        self.calls = root / "calls"
        self.calls.write_text("")
        self.routes = {}
        self.environment = {"PATH": f"{root}/bin:{os.environ['PATH']}"}
        (root / "bin").mkdir()
        self.program("driverctl", f'echo "driverctl $*" >> {self.calls}')
        self.program("ip", f'cat "{root}/ip/$(echo "$*" | tr " /" "__")" 2>/dev/null || echo "[]"')
        (root / "ip").mkdir()
        (root / "proc").mkdir()

    def program(self, name, text):
        path = self.root / "bin" / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def answers(self, question, answer):
        """What `ip -json QUESTION` says."""
        (self.root / "ip" / f"-json {question}".replace(" ", "_").replace("/", "_")).write_text(
            json.dumps(answer))

    def card(self, address, interface=None, driver="ixgbe", group="7", kind="0x020000",
             override="(null)", between=""):
        device = self.root / "sys/devices/pci0000:00" / address
        (device / between).mkdir(parents=True)
        (device / "class").write_text(kind + "\n")
        (device / "driver_override").write_text(override + "\n")
        devices = self.root / "sys/bus/pci/devices"
        devices.mkdir(parents=True, exist_ok=True)
        (devices / address).symlink_to(device)
        if driver:
            path = self.root / "sys/bus/pci/drivers" / driver
            path.mkdir(parents=True, exist_ok=True)
            (device / "driver").symlink_to(path)
        if group:
            path = self.root / "sys/kernel/iommu_groups" / group
            (path / "devices").mkdir(parents=True, exist_ok=True)
            (path / "devices" / address).symlink_to(device)
            (device / "iommu_group").symlink_to(path)
        if interface:
            (self.interface(interface) / "device").symlink_to(device / between)

    def interface(self, name, *lower):
        path = self.root / "sys/class/net" / name
        path.mkdir(parents=True)
        for below in lower:
            (path / f"lower_{below}").symlink_to(self.root / "sys/class/net" / below)
        return path

    def run(self, *words):
        return subprocess.run([BIND_NIC, "--sysfs", self.root / "sys",
                               "--proc", self.root / "proc", *words],
                              text=True, capture_output=True, env=self.environment)

    def refuses(self, *words):
        done = self.run(*words)
        assert done.returncode == 1 and self.calls.read_text() == "", done.stdout
        assert len(done.stderr.splitlines()) == 1, done.stderr
        return done.stderr

    def does(self, *words):
        done = self.run(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout, self.calls.read_text().splitlines()


@pytest.fixture
def machine(tmp_path):
    """eth0 is the way in; eth1 and eth2 are free, in groups of their own."""
    machine = Machine(tmp_path)
    machine.card("0000:01:00.0", "eth0", group="1")
    machine.card("0000:3b:00.0", "eth1", group="2")
    machine.card("0000:3b:00.1", "eth2", group="3")
    machine.answers("-4 route show table all default", [{"dst": "default", "dev": "eth0"}])
    return machine


def test_a_list(machine):
    output, calls = machine.does()
    lines = output.splitlines()
    assert [line.split()[:3] for line in lines] == [
        ["0000:01:00.0", "ixgbe", "eth0"], ["0000:3b:00.0", "ixgbe", "eth1"],
        ["0000:3b:00.1", "ixgbe", "eth2"]]
    assert "default route" in lines[0] and not calls


def test_shown_first_and_done_when_told_to(machine):
    machine.answers("address show eth1", [{"addr_info": [{"local": "10.9.0.1", "prefixlen": 24}]}])
    output, calls = machine.does("eth1")
    assert not calls and "nothing was changed" in output
    assert "ixgbe -> vfio-pci" in output and "10.9.0.1/24" in output
    assert 'device = "0000:3b:00.0"' in output
    _, calls = machine.does("--yes", "eth1", "0000:3b:00.1")
    assert calls == ["driverctl set-override 0000:3b:00.0 vfio-pci",
                     "driverctl set-override 0000:3b:00.1 vfio-pci"]


def test_undo(machine):
    machine.card("0000:5e:00.0", driver="vfio-pci", override="vfio-pci")
    output, calls = machine.does("--undo", "0000:5e:00.0")
    assert not calls and "kernel's own driver" in output
    _, calls = machine.does("--undo", "--yes", "0000:5e:00.0")
    assert calls == ["driverctl unset-override 0000:5e:00.0"]


def test_nothing_to_do(machine):
    machine.card("0000:5e:00.0", driver="vfio-pci", override="vfio-pci")
    assert machine.does("--yes", "0000:5e:00.0")[1] == []
    assert machine.does("--undo", "--yes", "eth1")[1] == []


def test_the_default_route_is_refused(machine):
    assert "default route" in machine.refuses("--yes", "eth0")
    assert "default route" in machine.refuses("--yes", "0000:01:00.0")


def test_one_refused_is_all_refused(machine):
    machine.refuses("--yes", "eth1", "eth0")


def test_one_of_several_default_routes_is_refused(machine):
    machine.answers("-6 route show table all default",
                    [{"dst": "default", "nexthops": [{"dev": "eth1"}, {"dev": "eth2"}]}])
    machine.refuses("--yes", "eth2")


def test_what_a_bond_and_a_vlan_stand_on_is_refused(machine):
    machine.interface("bond0", "eth1", "eth2")
    machine.interface("bond0.7", "bond0")
    machine.answers("-4 route show table all default", [{"dst": "default", "dev": "bond0.7"}])
    machine.refuses("--yes", "eth1")
    machine.refuses("--yes", "eth2")


def test_the_ssh_session_is_refused(machine):
    machine.environment["SSH_CONNECTION"] = "192.0.2.7 50000 192.0.2.1 22"
    machine.answers("route get 192.0.2.7", [{"dst": "192.0.2.7", "dev": "eth2"}])
    assert "192.0.2.7" in machine.refuses("--yes", "eth2")
    machine.does("--yes", "eth1")


def test_sudo_does_not_hide_the_ssh_session(machine):
    """It clears our environment, not that of the shell that we came from."""
    machine.program("ip", f'''
case "$*" in
  "-json route get 192.0.2.7") echo '[{{"dev": "eth2"}}]' ;;
  *) echo "[]" ;;
esac''')
    wrapper = machine.root / "bin" / "as-sudo"
    wrapper.write_text(f"""#!/bin/sh
proc={machine.root}/proc
mkdir -p $proc/$$ $proc/77
printf 'PPid:\\t77\\n' > $proc/$$/status
printf 'A=b\\0SSH_CONNECTION=192.0.2.7 50000 192.0.2.1 22\\0' > $proc/77/environ
exec "$@"
""")
    wrapper.chmod(0o755)
    done = subprocess.run([wrapper, BIND_NIC, "--sysfs", machine.root / "sys", "--proc",
                           machine.root / "proc", "--yes", "eth2"], text=True, capture_output=True,
                          env=machine.environment)
    assert done.returncode == 1 and "192.0.2.7" in done.stderr and machine.calls.read_text() == ""


def test_virtio_has_a_bus_in_between(machine):
    machine.card("0000:00:03.0", "ens3", driver="virtio-pci", group="9", between="virtio0")
    assert "0000:00:03.0: virtio-pci -> vfio-pci" in machine.does("ens3")[0]


def test_what_dpdk_drives_through_the_kernel_stays(machine):
    machine.card("0000:81:00.0", "eth9", driver="mlx5_core")
    assert "leave it" in machine.refuses("--yes", "eth9")


def test_no_iommu(machine):
    machine.card("0000:81:00.0", "eth9", group=None)
    assert "intel_iommu=on" in machine.refuses("--yes", "eth9")


def test_uio_is_for_machines_without_an_iommu(machine):
    machine.card("0000:81:00.0", "eth9", group=None)
    assert "--uio" in machine.refuses("--yes", "eth9")
    assert "there is an IOMMU" in machine.refuses("--uio", "--yes", "eth1")
    output, calls = machine.does("--uio", "--yes", "eth9")
    assert "sluice.service.d" in output
    assert calls == ["driverctl set-override 0000:81:00.0 uio_pci_generic"]


def test_a_whole_iommu_group_goes(machine):
    machine.card("0000:3b:00.2", "eth3", driver="i40e", group="2")
    output, _ = machine.does("eth1")
    assert "0000:3b:00.2 (i40e) is in the same IOMMU group" in output


def test_what_is_no_card_is_refused(machine):
    machine.card("0000:00:1f.2", kind="0x010601")
    for name in ("0000:00:1f.2", "eth77", "lo", "../../etc"):
        assert "no network card" in machine.refuses("--yes", name)
