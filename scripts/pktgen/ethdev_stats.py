#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""ethdev_stats.py PREFIX: what the ports of a DPDK process have sent and received, one line a port,
over its telemetry socket. Pktgen's own figures stand still while its command line runs a script."""

import json
import os
import socket
import sys


def main():
    folder = os.environ.get("RUNTIME_DIRECTORY") or "/var/run"
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as telemetry:
        telemetry.connect(f"{folder}/dpdk/{sys.argv[1]}/dpdk_telemetry.v2")
        room = json.loads(telemetry.recv(1024))["max_output_len"]

        def ask(what):
            telemetry.send(what.encode())
            return next(iter(json.loads(telemetry.recv(room)).values()))

        for port in ask("/ethdev/list"):
            stats = ask(f"/ethdev/stats,{port}")
            print(port, stats["opackets"], stats["ipackets"], stats["imissed"])


if __name__ == "__main__":
    main()
