# SPDX-License-Identifier: BSD-3-Clause
"""Network namespaces and the veth links between them."""

import ctypes
import os
import signal
import subprocess
from contextlib import contextmanager

from lab_kit.process import SHARED_CORE, run

CLONE_NEWNET = 0x40000000


class Namespace:
    """One network namespace and the processes that the lab started in it."""

    def __init__(self, name):
        self.name = name
        run("ip", "netns", "add", name)
        self.ip("link", "set", "lo", "up")
        self.sysctl(**{f"net.ipv6.conf.{which}.disable_ipv6": 1 for which in ("all", "default")})

    def ip(self, *words):
        return run("ip", "-n", self.name, *words)

    def sysctl(self, **values):
        """Sets what this kernel has; what it has not cannot matter to it."""
        for key, value in values.items():
            self.run("sysctl", "-qew", f"{key}={value}")

    def command(self, *words, core=SHARED_CORE):
        return ["ip", "netns", "exec", self.name, "taskset", "-c", str(core), *map(str, words)]

    def run(self, *words, check=True, core=SHARED_CORE, **options):
        return run(*self.command(*words, core=core), check=check, **options)

    def start(self, *words, core=SHARED_CORE, **options):
        """Starts a process in a session of its own: Ctrl-C is the lab's to handle."""
        return subprocess.Popen(self.command(*words, core=core), start_new_session=True, **options)

    def pids(self):
        """Of every process that is in it."""
        return [int(pid) for pid in run("ip", "netns", "pids", self.name).split()]

    def signal(self, number):
        """Sends a signal to every process that is in it."""
        for pid in self.pids():
            os.kill(pid, number)

    @contextmanager
    def frozen(self):
        """All its processes stand still; its kernel goes on to take connections."""
        self.signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.signal(signal.SIGCONT)

    def mac_of(self, device):
        """Six bytes."""
        text = self.run("cat", f"/sys/class/net/{device}/address").strip()
        return bytes.fromhex(text.replace(":", ""))

    def counters(self):
        """The kernel's counters of this namespace, absolute."""
        rows = (line.split() for line in self.run("nstat", "-asz").splitlines())
        return {row[0]: int(row[1]) for row in rows if len(row) >= 2 and row[0][0] != "#"}

    def nft(self, rules):
        self.run("nft", "-f", "-", input=rules)

    @contextmanager
    def inside(self):
        """The calling thread is in it; what it starts and what sockets it makes stay there."""
        libc = ctypes.CDLL(None, use_errno=True)
        with open("/proc/thread-self/ns/net") as home, open(f"/run/netns/{self.name}") as there:
            if libc.setns(there.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), f"setns {self.name}")
            try:
                yield
            finally:
                libc.setns(home.fileno(), CLONE_NEWNET)

    def delete(self):
        run("ip", "netns", "del", self.name, check=False)


def link(left, left_name, right, right_name):
    """A veth pair between two namespaces, without offloads, so that packets are as on a wire."""
    left.ip("link", "add", left_name, "type", "veth",
            "peer", "name", right_name, "netns", right.name)
    for namespace, name in ((left, left_name), (right, right_name)):
        namespace.run("ethtool", "-K", name, "tx", "off", "rx", "off", "gro", "off", "gso", "off",
                      "tso", "off")
        namespace.ip("link", "set", name, "mtu", "1500", "txqueuelen", "10000", "up")


@contextmanager
def loss_at(namespace, one_in):
    """TCP that comes in there is lost, one segment of so many, at random."""
    namespace.nft(f"""
        table inet lossy {{
          chain in {{
            type filter hook input priority 0;
            meta l4proto tcp numgen random mod {one_in} == 0 drop
          }}
        }}""")
    try:
        yield
    finally:
        namespace.nft("delete table inet lossy")
