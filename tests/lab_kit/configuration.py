# SPDX-License-Identifier: BSD-3-Clause
"""The configurations that the tests run Sluice with, as values.

Each of the `count` services of a Configuration has a VIP port, a local address and so a port pool
of its own. A test takes a service that nobody has used: to it, Sluice is freshly started.
"""

import os
from dataclasses import dataclass

from lab_kit import toml
from lab_kit.addresses import BACKEND_SIDE, BACKENDS, CLIENT_SIDE, VIP, Endpoint

BACKEND = Endpoint(BACKENDS[0], 80)
FIRST_VIP_PORT = 8000
FLOW_INDEX = os.environ.get("SLUICE_FLOW_INDEX", "rte_hash")
GATEWAY = "10.1.77.1"  # of a network of clients that is not on the link
BEHIND_GATEWAY = "198.51.100.0/24"


@dataclass(frozen=True)
class Service:
    name: str
    vip: Endpoint
    local: str
    ports: tuple  # first, last
    backends: tuple


@dataclass(frozen=True)
class Configuration:
    reuse: str = "natural"
    count: int = 32  # services
    ports: int = 1  # of each service's local address
    backends: tuple = (BACKEND,)
    backend_seconds: int = 60
    guard_ms: int = 0
    service_keys: tuple = ()  # (key, value), for every service
    backend_keys: tuple = ()
    timeouts: tuple = ()  # (state, seconds)
    idle: str = "poll"
    limits: tuple = (("flows_per_worker", 4096), ("syns_per_worker", 4096))

    def services(self):
        last = 5000 + self.ports - 1
        return [Service(f"s{i}", Endpoint(VIP, FIRST_VIP_PORT + i), f"10.2.1.{i + 1}",
                        (5000, last), self.backends) for i in range(self.count)]

    def toml(self, socket):
        pools = [toml.local_pool(service.name, [service.local], service.ports)
                 for service in self.services()]
        services = [toml.service(service.name, service.vip, service.name, service.backends,
                                 self.backend_keys, **dict(self.service_keys))
                    for service in self.services()]
        return "".join([self._head(socket), *pools, *services])

    def _head(self, socket):
        return "".join([
            toml.table("eal", main_lcore=0, worker_lcores=[1], memory_mb=256, hugepages=False,
                       interface_wait_seconds=0, idle=self.idle),
            toml.table("control", socket=str(socket)),
            toml.table("state", keep=False),
            toml.interface("client", "net_af_packet0,iface=lb-client", f"{CLIENT_SIDE}/16"),
            toml.interface("backend", "net_af_packet1,iface=lb-backend", f"{BACKEND_SIDE}/16"),
            toml.entry("route", to=BEHIND_GATEWAY, via=GATEWAY),
            toml.table("time_wait", backend_seconds=self.backend_seconds, guard_ms=self.guard_ms,
                       reuse=self.reuse),
            toml.table("limits", flow_index=FLOW_INDEX, **dict(self.limits)),
            toml.table("tcp_timeouts", **dict(self.timeouts))])
