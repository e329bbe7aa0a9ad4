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

Everything runs on core 0 but the middle, which has core 1 (see `pin`).
"""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VIP = "10.3.0.1"
LOCAL = "10.2.0.1"
BACKENDS = ["10.2.0.10", "10.2.0.11"]
CLIENT_FIRST = "10.1.1.0"  # of 4,096 and more; with timestamps
PLAIN_FIRST = "10.1.65.0"  # of 4,096 and more; without
PORT_CLOSING = 80  # nginx closes first
PORT_KEEPALIVE = 8080  # the client closes first
PORT_STATUS = 81  # stub_status, only asked inside the backend's namespace
WORK_PREFIX = "sluice-lab-"
PROGRAMS = {"sluice", "nginx", "haproxy", "churn", "wrk", "tcpdump"}  # what a lab starts
LAB_CORE = 0
MIDDLE_CORE = 1

NGINX = """
worker_processes 1;
daemon off;
user root;
pid {work}/nginx.pid;
error_log {work}/error.log warn;
events {{ worker_connections 16384; }}
http {{
  access_log off;
  sendfile on;
  client_body_temp_path {work}/body;
  proxy_temp_path {work}/proxy;
  fastcgi_temp_path {work}/fastcgi;
  uwsgi_temp_path {work}/uwsgi;
  scgi_temp_path {work}/scgi;
  client_max_body_size 1g;
  add_header X-Backend {address};
  root {www};
  server {{
    listen {address}:80 backlog=65535;
    keepalive_timeout 0;
    lingering_close off;
    location /upload/ {{ root {work}; dav_methods PUT; create_full_put_path on; }}
  }}
  server {{
    listen {address}:8080 backlog=65535;
    keepalive_timeout 60;
    keepalive_requests 1000000;
    location /upload/ {{ root {work}; dav_methods PUT; create_full_put_path on; }}
  }}
  server {{
    listen {address}:81;
    location / {{ stub_status; }}
  }}
}}
"""


class LabError(RuntimeError):
    """Something outside of Sluice is missing or failed; the message says what."""


def run(*command, check=True, **options):
    """Runs a command to its end and returns what it printed."""
    words = [str(word) for word in command]
    done = subprocess.run(words, text=True, capture_output=True, **options)
    if check and done.returncode != 0:
        raise LabError(f"{' '.join(words)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def letters(count):
    """The bytes that the load generator expects: byte i is the (i mod 26)th letter."""
    alphabet = b"abcdefghijklmnopqrstuvwxyz"
    return (alphabet * (count // 26 + 1))[:count]


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

    def command(self, *words, core=LAB_CORE):
        return ["ip", "netns", "exec", self.name, "taskset", "-c", str(core), *map(str, words)]

    def run(self, *words, check=True, core=LAB_CORE, **options):
        return run(*self.command(*words, core=core), check=check, **options)

    def start(self, *words, core=LAB_CORE, **options):
        """Starts a process in a session of its own: Ctrl-C is the lab's to handle."""
        return subprocess.Popen(self.command(*words, core=core), start_new_session=True, **options)

    def counters(self):
        """The kernel's counters of this namespace, absolute."""
        rows = (line.split() for line in self.run("nstat", "-asz").splitlines())
        return {row[0]: int(row[1]) for row in rows if len(row) >= 2 and row[0][0] != "#"}

    def nft(self, rules):
        self.run("nft", "-f", "-", input=rules)

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


def stop_process(process, wait_seconds=10):
    """SIGTERM, then SIGKILL; returns the exit status."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(wait_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait()


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

    def _namespace(self, role):
        namespace = Namespace(f"{self.prefix}-{role}")
        self.namespaces.append(namespace)
        return namespace

    def _make_links(self):
        self.client = self._namespace("client")
        self.plain = self._namespace("plain")
        self.balancer = self._namespace("balancer")
        self.switch = self._namespace("switch")
        self.backends = [self._namespace(f"backend{i}") for i in range(len(BACKENDS))]
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
        for address, backend in zip(BACKENDS, self.backends):
            backend.ip("addr", "add", f"{address}/16", "dev", "eth0")
            # All TIME_WAIT sockets must have room: one that is thrown out early hides the failure.
            backend.sysctl(**{"net.core.somaxconn": 65535, "net.ipv4.tcp_max_syn_backlog": 65535,
                              "net.ipv4.tcp_max_tw_buckets": 2000000, "net.ipv4.tcp_syncookies": 0})

    def _start_backends(self):
        www = self.work / "www"
        www.mkdir()
        (www / "index.html").write_bytes(letters(260))
        (www / "letters10m").write_bytes(letters(10_000_000))
        (www / "random10m").write_bytes(os.urandom(10_000_000))
        for i, (address, backend) in enumerate(zip(BACKENDS, self.backends)):
            work = self.backend_work(i)
            work.mkdir()
            config = work / "nginx.conf"
            config.write_text(NGINX.format(work=work, www=www, address=address))
            log = open(work / "nginx.out", "w")
            self.processes.append(backend.start("nginx", "-c", config, "-e", work / "error.log",
                                                stdout=log, stderr=subprocess.STDOUT))
        for i in range(len(BACKENDS)):
            wait_until(lambda i=i: self.requests_served(i) is not None, 10, "nginx does not answer")

    def backend_work(self, index):
        return self.work / f"backend{index}"

    def requests_served(self, index):
        """Requests that a backend has served, as nginx counts them; None while it is not up."""
        url = f"http://{BACKENDS[index]}:{PORT_STATUS}/"
        page = self.backends[index].run("curl", "-sf", "--max-time", "2", url, check=False)
        return int(page.split()[9]) if page else None

    def keep(self):
        """Leaves everything as it is; stop_kept() takes it down."""
        self.kept = True


def wait_until(condition, seconds, complaint):
    """Polls for something that another process will do; says what did not happen."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise LabError(complaint)
        time.sleep(0.05)


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
