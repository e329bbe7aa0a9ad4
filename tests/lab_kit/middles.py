# SPDX-License-Identifier: BSD-3-Clause
"""What can stand in the middle of the lab: Sluice, the kernel's NAT, HAProxy, or a plain router.

Each is started with a lab and stopped with it. `ports` is the range of local ports, inclusive.
"""

import subprocess

from lab_kit.addresses import BACKENDS, CLIENT_SIDE, LOCAL, VIP
from lab_kit.backend import PORT_CLOSING, PORT_KEEPALIVE
from lab_kit.checkout import ROOT
from lab_kit.process import BOTH_CORES, WORKER_CORE, LabError, stop_process, wait_until
from lab_kit.sluice import SluiceProcess
from lab_kit.toml import set_key, table

ALL_PORTS = (1024, 65535)
LAB_TOML = ROOT / "conf" / "lab.toml"
SERVICES = {"web": PORT_CLOSING, "keepalive": PORT_KEEPALIVE}


def ports_from(count):
    return (1024, 1024 + count - 1)


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
        balancer.ip("addr", "add", f"{CLIENT_SIDE}/16", "dev", "lb-client")
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
                                          core=WORKER_CORE, stdout=log, stderr=subprocess.STDOUT)
        wait_until(self._listens, 10, "HAProxy does not listen")

    def _listens(self):
        if self.process.poll() is not None:
            raise LabError("HAProxy: " + (self.lab.work / "haproxy" / "log").read_text())
        return f":{PORT_CLOSING} " in self.lab.balancer.run("ss", "-Hltn")


class Sluice(SluiceProcess, Middle):
    """`sluice` on net_af_packet ports. Its configuration is the shipped conf/lab.toml with the
    socket moved into the lab and, where given, other ports, another reuse policy, other keys.
    Where it does not `keep` its flows, each start is a fresh one."""

    kind = "Sluice"

    def __init__(self, ports=ALL_PORTS, reuse=None, edit=None, keep=False):
        Middle.__init__(self, ports)
        self.keep = keep
        self.reuse = reuse
        self.edit = edit  # a function from TOML text to TOML text, for what is special to one test

    def start(self, lab):
        # No core for the process as a whole: EAL pins each thread by the configuration.
        SluiceProcess.__init__(self, lab.work / "sluice",
                               lambda *words: lab.balancer.command(*words, core=BOTH_CORES))
        self.lab = lab
        self.work.mkdir(exist_ok=True)
        self.config.write_text(self.toml())
        self.launch()

    def state_keys(self):
        return {"directory": str(self.state)} if self.keep else {}

    def toml(self):
        text = set_key(LAB_TOML.read_text(), "socket", str(self.socket))
        text = set_key(text, "ports", f"{self.ports[0]}-{self.ports[1]}")
        if self.reuse:
            text = set_key(text, "reuse", self.reuse)
        text += table("state", keep=self.keep, **self.state_keys())
        return self.edit(text) if self.edit else text

    def ctl_command(self, *words):
        return self.lab.balancer.command(*super().ctl_command(*words))
