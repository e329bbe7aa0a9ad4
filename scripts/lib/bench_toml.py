# SPDX-License-Identifier: BSD-3-Clause
"""The configuration of a `sluice` that is measured: two devices, clients behind a gateway."""

from bench_common import CONTROL_CORE, WORKER_CORE

HEAD = """
[eal]
main_lcore = {control}
worker_lcores = [{worker}]
memory_mb = {memory_mb}
hugepages = {hugepages}
args = [{args}]
[control]
socket = "{folder}/sluice.sock"
log_level = "warn"
[[interface]]
name = "client"
device = "{client}"
addresses = ["10.1.255.254/16"]
[[interface]]
name = "server"
device = "{server}"
addresses = ["10.2.255.254/16"]
[[route]]
to = "10.64.0.0/10"
via = "10.1.255.1"
[limits]
flows_per_worker = {flows}
"""

SERVICE = """
[[local_pool]]
name = "{name}"
addresses = [{locals}]
ports = "{ports}"
[[service]]
name = "{name}"
vip = "{vip}"
local_pool = "{name}"
[[service.backend]]
address = "10.2.0.10:80"
"""


def head(folder, devices, memory_mb, huge_mb, flows=65_536, args=()):
    client, server = devices
    return HEAD.format(
        control=CONTROL_CORE, worker=WORKER_CORE, memory_mb=memory_mb, folder=folder,
        hugepages="true" if huge_mb >= memory_mb else "false", client=client, server=server,
        flows=flows, args=", ".join(f'"{word}"' for word in args))


def service(name, vip, locals_, ports="1024-65535"):
    return SERVICE.format(name=name, vip=vip, ports=ports,
                          locals=", ".join(f'"{address}"' for address in locals_))


def interface(name, device, address):
    return f'[[interface]]\nname = "{name}"\ndevice = "{device}"\naddresses = ["{address}"]\n'
