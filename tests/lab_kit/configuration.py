# SPDX-License-Identifier: BSD-3-Clause
"""The configurations that the tests run Sluice with, as values.

Each of the `count` services of a Configuration has a VIP port, a local address and so a port pool
of its own. A test takes a service that nobody has used: to it, Sluice is freshly started.
"""

from dataclasses import dataclass

from lab_kit.addresses import Endpoint

VIP = "10.3.0.1"
BACKEND = Endpoint("10.2.0.10", 80)
FIRST_VIP_PORT = 8000
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
    service_keys: tuple = ()  # (key, TOML value), for every service
    backend_keys: tuple = ()
    timeouts: tuple = ()  # (state, seconds)
    idle: str = "poll"
    limits: tuple = (("flows_per_worker", 4096), ("syns_per_worker", 4096))

    def services(self):
        last = 5000 + self.ports - 1
        return [Service(f"s{i}", Endpoint(VIP, FIRST_VIP_PORT + i), f"10.2.1.{i + 1}",
                        (5000, last), self.backends) for i in range(self.count)]

    def toml(self, socket):
        return "\n".join([HEAD.format(socket=socket, idle=self.idle), self._time_wait(),
                          table("limits", self.limits), table("tcp_timeouts", self.timeouts),
                          *map(self._service, self.services())])

    def _time_wait(self):
        return table("time_wait", (("backend_seconds", self.backend_seconds),
                                   ("guard_ms", self.guard_ms), ("reuse", f'"{self.reuse}"')))

    def _service(self, service):
        first, last = service.ports
        pool = (("name", f'"{service.name}"'), ("addresses", f'["{service.local}"]'),
                ("ports", f'"{first}-{last}"'))
        keys = (("name", f'"{service.name}"'), ("vip", f'"{service.vip}"'),
                ("local_pool", f'"{service.name}"'), *self.service_keys)
        backends = [table("[service.backend]", (("address", f'"{backend}"'), *self.backend_keys))
                    for backend in service.backends]
        return "\n".join([table("[local_pool]", pool), table("[service]", keys), *backends])


HEAD = f"""
[eal]
main_lcore = 0
worker_lcores = [1]
memory_mb = 256
hugepages = false
interface_wait_seconds = 0
idle = "{{idle}}"

[control]
socket = "{{socket}}"

[[interface]]
name = "client"
device = "net_af_packet0,iface=lb-client"
addresses = ["10.1.255.254/16"]

[[interface]]
name = "backend"
device = "net_af_packet1,iface=lb-backend"
addresses = ["10.2.255.254/16"]

[[route]]
to = "{BEHIND_GATEWAY}"
via = "{GATEWAY}"
"""


def table(name, keys):
    return "\n".join([f"[{name}]", *(f"{key} = {value}" for key, value in keys), ""])
