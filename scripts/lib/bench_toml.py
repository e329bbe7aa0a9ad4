# SPDX-License-Identifier: BSD-3-Clause
"""The configuration of a `sluice` that is measured: two devices, clients behind a gateway."""

from lab_kit import toml
from lab_kit.addresses import BACKENDS, BACKEND_SIDE, CLIENT_SIDE
from lab_kit.process import SHARED_CORE, WORKER_CORE


def head(folder, devices, memory_mb, huge_mb, flows=65_536, args=()):
    client, server = devices
    return "".join([
        toml.table("eal", main_lcore=SHARED_CORE, worker_lcores=[WORKER_CORE],
                   memory_mb=memory_mb, hugepages=huge_mb >= memory_mb, args=args),
        toml.table("control", socket=folder / "sluice.sock", log_level="warn"),
        toml.interface("client", client, f"{CLIENT_SIDE}/16"),
        toml.interface("server", server, f"{BACKEND_SIDE}/16"),
        toml.entry("route", to="10.64.0.0/10", via="10.1.255.1"),
        toml.table("limits", flows_per_worker=flows)])


def service(name, vip, locals_, ports=(1024, 65535)):
    return (toml.local_pool(name, locals_, ports) +
            toml.service(name, vip, name, [f"{BACKENDS[0]}:80"]))
