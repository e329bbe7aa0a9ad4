# SPDX-License-Identifier: BSD-3-Clause
"""The lab: network namespaces, the links between them, and two nginx backends.

      PREFIX-plain                     PREFIX-client                         PREFIX-balancer
    +----------------+             +------------------------+             +-------------------+
    | 10.1.64.0/18   | eth0   plain| 10.1.0.0/19, all local | eth0        | the middle:       |
    | no timestamps  +-------------+ 10.1.255.1             +-------------+ sluice,           |
    | 10.1.254.2/30  |             | routes to plain        |    lb-client| kernel NAT,       |
    +----------------+             +------------------------+             | HAProxy or none   |
                                                          10.1.255.254/16 |                   |
                                                              VIP 10.3.0.1|                   |
                  PREFIX-backend0                                         |                   |
                +----------------+          PREFIX-switch                 |                   |
                | 10.2.0.10 nginx| eth0    +--------------+     lb-backend|                   |
                |                +---------+ port0        |   10.2.0.1/16 |                   |
                +----------------+         |   bridge port+---------------+                   |
                | 10.2.0.11 nginx+---------+ port1        |  local address|                   |
                |                | eth0    +--------------+               +-------------------+
                +----------------+
                  PREFIX-backend1

The clients' addresses are `local` routes: 8,192 of them cost one line each. The client side only
knows that the VIP is behind 10.1.255.254; the backends only know 10.2.0.0/16, so what is not
translated gets no answer. Packets cross a veth without offloads, as they would cross a wire.

Everything runs on core 0 but the middle, which has core 1.
"""

import json
import os
import shutil
import signal
import tempfile
from contextlib import contextmanager
from pathlib import Path

from lab_kit.addresses import BACKENDS
from lab_kit.backend import Backend
from lab_kit.namespace import Namespace, link
from lab_kit.process import run, stop_process

WORK_PREFIX = "sluice-lab-"
PROGRAMS = {"sluice", "nginx", "haproxy", "churn", "wrk", "tcpdump"}  # what a lab starts


def letters(count):
    """The bytes that the load generator expects: byte i is the (i mod 26)th letter."""
    alphabet = b"abcdefghijklmnopqrstuvwxyz"
    return (alphabet * (count // 26 + 1))[:count]


class Lab:
    """A context manager: the namespaces and the backends live as long as the block."""

    def __init__(self, middle=None, label="lab"):
        self.prefix = f"sl{os.getpid()}{label[:3]}"
        self.middle = middle
        self.work = None
        self.namespaces = []
        self.processes = []
        self.kept = False

    def __enter__(self):
        self.work = Path(tempfile.mkdtemp(prefix=WORK_PREFIX))
        self.work.chmod(0o755)
        owner = {"pid": os.getpid(), "prefix": self.prefix}
        (self.work / "owner.json").write_text(json.dumps(owner))
        try:
            self._make_links()
            self._make_addresses()
            self._start_backends()
            if self.middle:
                self.middle.start(self)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        if not self.kept:
            self.close()

    def close(self):
        """Takes down, in reverse, whatever has been made so far."""
        # A second Ctrl-C must not stop this.
        interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)
        if self.middle:
            self.middle.stop()
        for process in reversed(self.processes):
            stop_process(process)
        for namespace in self.namespaces:
            namespace.delete()
        if self.work:
            shutil.rmtree(self.work, ignore_errors=True)
        signal.signal(signal.SIGINT, interrupt)

    def _namespace(self, role, kind=Namespace, *arguments):
        namespace = kind(f"{self.prefix}-{role}", *arguments)
        self.namespaces.append(namespace)
        return namespace

    def _make_links(self):
        self.client = self._namespace("client")
        self.plain = self._namespace("plain")
        self.balancer = self._namespace("balancer")
        self.switch = self._namespace("switch")
        self.backends = [self._namespace(f"backend{i}", Backend, address, self.work / f"backend{i}")
                         for i, address in enumerate(BACKENDS)]
        link(self.client, "eth0", self.balancer, "lb-client")
        link(self.plain, "eth0", self.client, "plain")
        link(self.balancer, "lb-backend", self.switch, "port")
        self.switch.ip("link", "add", "bridge", "type", "bridge")
        for i, backend in enumerate(self.backends):
            link(backend, "eth0", self.switch, f"port{i}")
            self.switch.ip("link", "set", f"port{i}", "master", "bridge")
        self.switch.ip("link", "set", "port", "master", "bridge")
        self.switch.ip("link", "set", "bridge", "up")

    def _make_addresses(self):
        client, plain = self.client, self.plain
        client.ip("addr", "add", "10.1.255.1/16", "dev", "eth0")
        client.ip("addr", "add", "10.1.254.1/30", "dev", "plain")
        client.ip("route", "add", "local", "10.1.0.0/19", "dev", "lo")
        client.ip("route", "add", "10.1.64.0/18", "via", "10.1.254.2")
        client.ip("route", "add", "default", "via", "10.1.255.254")
        plain.ip("addr", "add", "10.1.254.2/30", "dev", "eth0")
        plain.ip("route", "add", "local", "10.1.64.0/18", "dev", "lo")
        plain.ip("route", "add", "default", "via", "10.1.254.1")
        client.sysctl(**{"net.ipv4.ip_forward": 1})
        plain.sysctl(**{"net.ipv4.tcp_timestamps": 0})
        for namespace in (client, plain):
            namespace.sysctl(**{"net.ipv4.ip_local_port_range": "1024 65535"})
        for backend in self.backends:
            backend.ip("addr", "add", f"{backend.address}/16", "dev", "eth0")

    def _start_backends(self):
        www = self.work / "www"
        www.mkdir()
        (www / "index.html").write_bytes(letters(260))
        (www / "letters10m").write_bytes(letters(10_000_000))
        (www / "random10m").write_bytes(os.urandom(10_000_000))
        for backend in self.backends:
            backend.configure(www)
            self.processes.append(backend.start_nginx())
        for backend in self.backends:
            backend.wait_until_up()

    def keep(self):
        """Leaves everything as it is; stop_kept() takes it down."""
        self.kept = True


@contextmanager
def lab_with(middle):
    """A lab for one test; what the middle logged is shown with a failure."""
    with Lab(middle) as lab:
        try:
            yield lab
        finally:
            if hasattr(middle, "log"):
                print("sluice's log:\n" + middle.log())


def stop_kept():
    """Takes down the labs that were kept, or whose owner is no more. Returns their prefixes."""
    stopped = []
    for work in Path(tempfile.gettempdir()).glob(WORK_PREFIX + "*"):
        owner = json.loads((work / "owner.json").read_text())
        if Path(f"/proc/{owner['pid']}").exists():
            continue
        names = [line.split()[0] for line in run("ip", "netns", "list").splitlines()]
        for name in (name for name in names if name.startswith(owner["prefix"] + "-")):
            for pid in run("ip", "netns", "pids", name).split():
                if Path(f"/proc/{pid}/comm").read_text().strip() in PROGRAMS:
                    os.kill(int(pid), signal.SIGTERM)
            run("ip", "netns", "del", name)
        shutil.rmtree(work, ignore_errors=True)
        stopped.append(owner["prefix"])
    return stopped
