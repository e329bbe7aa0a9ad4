# SPDX-License-Identifier: BSD-3-Clause
"""IPv6 beside IPv4 in the lab: addresses for everybody, and a service of each pair of families."""

from lab_kit import toml
from lab_kit.addresses import BACKENDS, VIP

VIP6 = "fd00:3::1"
CLIENT6 = "fd00:1::1"
INTERFACE6 = "fd00:1::fe"
BACKENDS6 = ["fd00:2::a", "fd00:2::b"]
# Of clients and of backends.
FAMILIES = ("66", "64", "46")


def vip(families):
    return VIP6 if families[0] == "6" else VIP


def endpoint(ip, port):
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"


def service(families, name, port, backend_port, backend_count=2, **keys):
    """A service of these families, with the pool that with_ipv6() makes."""
    pool, backends = ("six", BACKENDS6) if families[1] == "6" else ("four", BACKENDS)
    return toml.service(name + families, endpoint(vip(families), port), pool,
                        [endpoint(ip, backend_port) for ip in backends[:backend_count]], **keys)


def with_ipv6(text, ports, services):
    """conf/lab.toml with IPv6 on both interfaces, pools of `ports` and more services."""
    text = text.replace('["10.1.255.254/16"]', f'["10.1.255.254/16", "{INTERFACE6}/64"]')
    text = text.replace('["10.2.255.254/16"]', '["10.2.255.254/16", "fd00:2::fe/64"]')
    return text + "".join([toml.entry("route", to="fd00:4::/64", via=CLIENT6),
                           toml.local_pool("six", ["fd00:2::1"], ports),
                           toml.local_pool("four", ["10.2.0.2"], ports), *services])


def give_ipv6(lab):
    """Addresses to all namespaces of a lab that runs."""
    for namespace in (lab.client, *lab.backends):
        namespace.sysctl(**{"net.ipv6.conf.all.disable_ipv6": 0})
    lab.client.ip("addr", "add", f"{CLIENT6}/64", "dev", "eth0", "nodad")
    lab.client.ip("-6", "route", "add", "local", "fd00:4::/64", "dev", "lo")
    lab.client.ip("-6", "route", "add", "fd00:3::/64", "via", INTERFACE6)
    for backend, address in zip(lab.backends, BACKENDS6):
        backend.ip("addr", "add", f"{address}/64", "dev", "eth0", "nodad")
