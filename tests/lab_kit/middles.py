# SPDX-License-Identifier: BSD-3-Clause
"""What can stand in the middle of the lab: Sluice, the kernel's NAT, HAProxy, or a plain router.

Each is started with a lab and stopped with it. `ports` is the range of local ports, inclusive.
"""

import json
import os
import re
import subprocess

from lab_kit.topology import (BACKENDS, LOCAL, MIDDLE_CORE, PORT_CLOSING, PORT_KEEPALIVE, ROOT,
                              VIP, LabError, stop_process, wait_until)

ALL_PORTS = (1024, 65535)
SERVICES = {"web": PORT_CLOSING, "keepalive": PORT_KEEPALIVE}


def ports_from(count):
    return (1024, 1024 + count - 1)


def build_dir():
    return ROOT / os.environ.get("SLUICE_BUILD", "build")


class Middle:
    """The common face. `kind` is the word for it in tables."""

    kind = "none"

    def __init__(self, ports=ALL_PORTS):
        self.ports = ports
        self.lab = None
        self.process = None

    def start(self, lab):
        self.lab = lab

    def stop(self):
        if self.process:
            stop_process(self.process)
        self.process = None

    def give_addresses(self):
        """Addresses for the middles that leave ARP and routes to the kernel."""
        balancer = self.lab.balancer
        balancer.ip("addr", "add", "10.1.255.254/16", "dev", "lb-client")
        balancer.ip("route", "add", "10.1.0.0/17", "via", "10.1.255.1")
        balancer.ip("addr", "add", f"{LOCAL}/16", "dev", "lb-backend")
        balancer.ip("addr", "add", f"{VIP}/32", "dev", "lo")
        balancer.sysctl(**{"net.core.somaxconn": 65535, "net.ipv4.tcp_max_syn_backlog": 65535})


class KernelNat(Middle):
    """nftables: DNAT to the backends in turn, SNAT to the local address."""

    kind = "kernel NAT"

    def start(self, lab):
        super().start(lab)
        self.give_addresses()
        lab.balancer.sysctl(**{"net.ipv4.ip_forward": 1})
        turns = ", ".join(f"{i} : {address}" for i, address in enumerate(BACKENDS))
        dports = ", ".join(map(str, SERVICES.values()))
        lab.balancer.nft(f"""
            table ip lab {{
              chain in {{
                type nat hook prerouting priority dstnat;
                ip daddr {VIP} tcp dport {{ {dports} }} \
                  dnat to numgen inc mod {len(BACKENDS)} map {{ {turns} }}
              }}
              chain out {{
                type nat hook postrouting priority srcnat;
                oifname lb-backend meta l4proto tcp snat to {LOCAL}:{self.ports[0]}-{self.ports[1]}
              }}
            }}""")


HAPROXY_HEAD = """
global
  nbthread 1
  maxconn 8000
  stats socket {work}/haproxy.sock
defaults
  mode tcp
  balance roundrobin
  maxconn 8000
  timeout connect 10s
  timeout client 60s
  timeout server 60s
"""


class HaProxy(Middle):
    """A proxy: one TCP connection on each side, so one timestamp clock towards a backend."""

    kind = "HAProxy"

    def start(self, lab):
        super().start(lab)
        self.give_addresses()
        work = lab.work / "haproxy"
        work.mkdir()
        config = HAPROXY_HEAD.format(work=work)
        source = f"source {LOCAL}:{self.ports[0]}-{self.ports[1]}"
        for name, port in SERVICES.items():
            config += f"listen {name}\n  bind {VIP}:{port} backlog 65535\n"
            for i, address in enumerate(BACKENDS):
                config += f"  server backend{i} {address}:{port} {source}\n"
        (work / "haproxy.cfg").write_text(config)
        log = open(work / "log", "w")
        self.process = lab.balancer.start("haproxy", "-db", "-f", work / "haproxy.cfg",
                                          core=MIDDLE_CORE, stdout=log, stderr=subprocess.STDOUT)
        wait_until(self._listens, 10, "HAProxy does not listen")

    def _listens(self):
        if self.process.poll() is not None:
            raise LabError("HAProxy: " + (self.lab.work / "haproxy" / "log").read_text())
        return f":{PORT_CLOSING} " in self.lab.balancer.run("ss", "-Hltn")



class Sluice(Middle):
    """`sluice` on net_af_packet ports. Its configuration is the shipped conf/lab.toml with the
    socket moved into the lab and, where given, other ports, another reuse policy, other keys."""

    kind = "Sluice"

    def __init__(self, ports=ALL_PORTS, reuse=None, edit=None):
        super().__init__(ports)
        self.reuse = reuse
        self.edit = edit  # a function from TOML text to TOML text, for what is special to one test

    def start(self, lab):
        super().start(lab)
        self.work = lab.work / "sluice"
        self.work.mkdir(exist_ok=True)
        self.config = self.work / "sluice.toml"
        self.config.write_text(self.toml())
        self.launch()

    def toml(self):
        text = (ROOT / "conf" / "lab.toml").read_text()
        text = set_key(text, "socket", f'"{self.work}/sluice.sock"')
        text = set_key(text, "ports", f'"{self.ports[0]}-{self.ports[1]}"')
        if self.reuse:
            text = set_key(text, "reuse", f'"{self.reuse}"')
        return self.edit(text) if self.edit else text

    def launch(self):
        """Starts the program and waits until its worker polls."""
        log = open(self.work / "log", "a")
        # No core for the process as a whole: EAL pins each thread by the configuration.
        self.process = self.lab.balancer.start(
            build_dir() / "control" / "sluice", "--config", self.config, core="0,1",
            stdout=log, stderr=subprocess.STDOUT)
        wait_until(self._is_ready, 30, "sluice is not ready after 30 s")

    def _is_ready(self):
        if self.process.poll() is not None:
            raise LabError("sluice ended: " + self.log())
        return self.ctl_run("show", "services").returncode == 0

    def kill(self):
        """SIGKILL, as a crash would be."""
        self.process.kill()
        self.process.wait()

    def log(self):
        return (self.work / "log").read_text()

    def _ctl(self, words):
        return self.lab.balancer.command(build_dir() / "control" / "sluicectl",
                                         "--socket", self.work / "sluice.sock", *words)

    def ctl_run(self, *words):
        return subprocess.run(self._ctl(words), text=True, capture_output=True)

    def ctl_start(self, *words):
        """A sluicectl that runs on."""
        return subprocess.Popen(self._ctl(words), text=True, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)

    def ctl(self, *words):
        """What sluicectl says to a command that succeeds."""
        done = self.ctl_run(*map(str, words))
        if done.returncode != 0:
            raise LabError(f"sluicectl {words}: {done.stderr}")
        return done.stdout

    def show(self, what):
        """The rows of `sluicectl show WHAT --json`."""
        done = self.ctl_run("show", what, "--json")
        if done.returncode != 0:
            raise LabError(f"sluicectl show {what}: {done.stderr}")
        return json.loads(done.stdout)[what]

    def pool_sum(self, field):
        return sum(row.get(field, 0) for row in self.show("pools"))

    def counters(self):
        return {row["name"]: row["value"] for row in self.show("counters")}

    def reload(self, text):
        self.config.write_text(text)
        return self.ctl_run("reload")


def set_key(toml, key, value):
    """Replaces the value of a key that the file has once."""
    text, count = re.subn(rf"(?m)^{key} *=.*$", f"{key} = {value}", toml)
    if count != 1:
        raise LabError(f"conf/lab.toml has `{key}` {count} times, not once")
    return text


def reuse_is_supported(reuse):
    """Whether this build of sluice accepts a reuse policy."""
    text = set_key((ROOT / "conf" / "lab.toml").read_text(), "reuse", f'"{reuse}"')
    done = subprocess.run([build_dir() / "control" / "sluice", "--check", "--config", "/dev/stdin"],
                          input=text, text=True, capture_output=True)
    return done.returncode == 0
