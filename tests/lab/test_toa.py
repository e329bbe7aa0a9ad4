# SPDX-License-Identifier: BSD-3-Clause
"""TCP option 254 at the backends' host: read from the wire as a kernel module would, in both
families and between them, while nginx serves the connection."""

import socket
import sys
import time
from contextlib import ExitStack

import pytest

from lab_kit import toml
from lab_kit.addresses import BACKENDS, VIP
from lab_kit.middles import Sluice
from lab_kit.process import wait_until
from lab_kit.topology import lab_with

VIP6 = "fd00:3::1"
BACKEND6 = "fd00:2::a"
PORTS = (2000, 2015)
VIP_PORT = {"44": 8144, "66": 8166, "64": 8164, "46": 8146}

# Prints, of each TCP segment to port 80 that comes in: its payload's size, the IP packet's, and the
# option's bytes.
READER = """
import socket, sys
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
wire.bind(("eth0", 0))
print("reads", flush=True)
while True:
    frame, (_, _, kind, _, _) = wire.recvfrom(65535)
    if kind == socket.PACKET_OUTGOING:
        continue
    packet = frame[14:]
    if packet[0] >> 4 == 4:
        total, at, protocol = int.from_bytes(packet[2:4], "big"), (packet[0] & 15) * 4, packet[9]
    else:
        total, at, protocol = 40 + int.from_bytes(packet[4:6], "big"), 40, packet[6]
    tcp = packet[at:total]
    if protocol != 6 or int.from_bytes(tcp[2:4], "big") != 80:
        continue
    head = (tcp[12] >> 4) * 4
    options, found = tcp[20:head], b""
    while options and options[0]:
        size = 1 if options[0] == 1 else options[1]
        if options[0] == 254:
            found = options[:size]
        options = options[size:]
    print(tcp[13], len(tcp) - head, total, found.hex() or "-", flush=True)
"""


def with_toa(text):
    text = text.replace('["10.1.255.254/16"]', '["10.1.255.254/16", "fd00:1::fe/64"]')
    text = text.replace('["10.2.255.254/16"]', '["10.2.255.254/16", "fd00:2::fe/64"]')
    parts = [toml.local_pool("six", ["fd00:2::1"], PORTS),
             toml.local_pool("four", ["10.2.0.2"], PORTS)]
    for families, port in VIP_PORT.items():
        vip = f"[{VIP6}]" if families[0] == "6" else VIP
        backend = f"[{BACKEND6}]" if families[1] == "6" else BACKENDS[0]
        parts.append(toml.service("toa" + families, f"{vip}:{port}",
                                  "six" if families[1] == "6" else "four", [f"{backend}:80"],
                                  toa=True))
    return text + "".join(parts)


@pytest.fixture(scope="module")
def lab():
    with ExitStack() as stack:
        lab = stack.enter_context(lab_with(Sluice(edit=with_toa)))
        backend = lab.backends[0]
        for namespace in (lab.client, backend):
            namespace.sysctl(**{"net.ipv6.conf.all.disable_ipv6": 0})
        lab.client.ip("addr", "add", "fd00:1::1/64", "dev", "eth0", "nodad")
        lab.client.ip("-6", "route", "add", "fd00:3::/64", "via", "fd00:1::fe")
        backend.ip("addr", "add", f"{BACKEND6}/64", "dev", "eth0", "nodad")
        with open(lab.work / "read", "w") as out:
            lab.processes.append(backend.start(sys.executable, "-c", READER, stdout=out))
        wait_until(lambda: (lab.work / "read").read_text(), 10, "the reader does not read")
        yield lab


def lines_read(lab):
    """Once there is no more to come: a connection's end may be read after curl's."""
    file, text = lab.work / "read", None
    while text != (text := file.read_text()):
        time.sleep(0.3)
    return text.splitlines()


def asked(lab, families, path=""):
    """The port that curl had, and what was read meanwhile."""
    before = len(lines_read(lab))
    vip = f"[{VIP6}]" if families[0] == "6" else VIP
    port = lab.client.run("curl", "-sS", "--max-time", "10", "-o", lab.work / "page", "-w",
                          "%{local_port}", f"http://{vip}:{VIP_PORT[families]}/{path}")
    rows = [line.split() for line in lines_read(lab)[before:]]
    return int(port), [(int(flags), int(size), int(total), option)
                       for flags, size, total, option in rows]


def option_of(families, port):
    six = families[0] == "6"
    address = socket.inet_pton(socket.AF_INET6 if six else socket.AF_INET,
                               "fd00:1::1" if six else "10.1.255.1")
    return (bytes([254, 4 + len(address)]) + port.to_bytes(2, "big") + address).hex()


@pytest.mark.parametrize("families", VIP_PORT)
def test_the_first_segments_name_the_client(lab, families):
    port, rows = asked(lab, families)
    expected = option_of(families, port)
    syn, ack, request, *rest = rows
    assert syn[3] == "-", "no SYN has it"
    assert (ack[1], ack[3]) == (0, expected)
    assert request[1] > 0 and request[3] == expected
    assert all(row[3] == "-" for row in rest), "the backend has it by then"
    assert all(row[2] <= 1500 for row in rows)
    assert (lab.work / "page").read_bytes().startswith(b"abcdefghij")


def test_a_download_is_whole(lab):
    asked(lab, "46", "random10m")
    assert (lab.work / "page").read_bytes() == (lab.work / "www" / "random10m").read_bytes()
