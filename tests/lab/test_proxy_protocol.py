# SPDX-License-Identifier: BSD-3-Clause
"""The client's address at real receivers: nginx and HAProxy read the PROXY header, of both versions
and families and between them, with loss, with few ports, and a server that speaks first."""

import subprocess
import sys
from contextlib import ExitStack

import pytest

from lab_kit import toml
from lab_kit.addresses import BACKENDS, VIP
from lab_kit.load import assert_no_stall
from lab_kit.middles import Sluice
from lab_kit.namespace import loss_at
from lab_kit.process import wait_until
from lab_kit.topology import lab_with

VIP6 = "fd00:3::1"
BACKENDS6 = ["fd00:2::a", "fd00:2::b"]
RECEIVERS = {"nginx": 0, "haproxy": 1}  # and on which backend each is
PORT, PORT_GREETER = 9080, 9081
FEW_PORTS = (1024, 1039)

NGINX = """
  server {{
    listen {port} proxy_protocol backlog=65535;
    listen [::]:{port} proxy_protocol ipv6only=on backlog=65535;
    keepalive_timeout 0;
    location / {{
      default_type text/plain;
      return 200 "$proxy_protocol_addr $proxy_protocol_port $proxy_protocol_server_addr\\n";
    }}
  }}
}}
"""

HAPROXY = """
defaults
  mode http
  timeout client 20s
  timeout connect 5s
  timeout server 5s
frontend told
  bind :::{port} v4v6 accept-proxy
  option http-server-close
  http-request return status 200 content-type text/plain lf-string \
"%[src] %[src_port] %[dst] %[fc_pp_authority] %[fc_pp_unique_id,hex]\\n"
"""

# Answers, before it has heard any data, with the header that it was sent.
GREETER = """
import socket, threading
server = socket.create_server(("::", %d), family=socket.AF_INET6, dualstack_ipv6=True, backlog=100)
def greet(peer):
    header = peer.recv(16, socket.MSG_WAITALL)
    rest = peer.recv(int.from_bytes(header[14:16], "big"), socket.MSG_WAITALL)
    peer.sendall(b"hello " + (header + rest).hex().encode() + b"\\n")
    peer.sendall(b"got " + peer.recv(100))
    peer.close()
while True:
    threading.Thread(target=greet, args=server.accept()[:1], daemon=True).start()
"""

LISTEN_FIRST = """
import socket, sys
peer = socket.create_connection((sys.argv[1], int(sys.argv[2])), 10)
print(*peer.getsockname()[:2])
lines = peer.makefile("rb")
print(lines.readline().decode().split()[1])
peer.sendall(b"thanks")
print(lines.read().decode())
"""

# Name of the service: receiver, families of clients and backends, version.
SERVICES = [(receiver, families, version) for receiver in (*RECEIVERS, "greeter")
            for families in ("44", "66", "64", "46") for version in ("v1", "v2")
            if receiver != "greeter" or version == "v2"]
VIP_PORT = {service: 9100 + i for i, service in enumerate(SERVICES)}


def vip_of(families):
    return VIP6 if families[0] == "6" else VIP


def told_service(service):
    receiver, families, version = service
    which = RECEIVERS.get(receiver, 0)
    address = f"[{BACKENDS6[which]}]" if families[1] == "6" else BACKENDS[which]
    vip = f"[{VIP6}]" if families[0] == "6" else VIP
    port = PORT_GREETER if receiver == "greeter" else PORT
    name = {} if version == "v1" else {"proxy_authority": "shop.example"}
    check = toml.table("service.health_check", type="http", interval_ms=500, timeout_ms=400,
                       fall=50, rise=1)
    return toml.service("-".join(service), f"{vip}:{VIP_PORT[service]}",
                        "six" if families[1] == "6" else "four", [f"{address}:{port}"],
                        tables="" if receiver == "greeter" else check,
                        proxy_protocol=version, **name)


def with_services(text):
    text = text.replace('["10.1.255.254/16"]', '["10.1.255.254/16", "fd00:1::fe/64"]')
    text = text.replace('["10.2.255.254/16"]',
                        '["10.2.255.254/16", "fd00:2::fe/64"]\nkernel = "sluice0"')
    pools = [toml.local_pool("six", ["fd00:2::1"], FEW_PORTS),
             toml.local_pool("four", ["10.2.0.2"], FEW_PORTS)]
    return text + "".join(pools) + "".join(map(told_service, SERVICES))


def give_ipv6(lab):
    client = lab.client
    for namespace in (client, *lab.backends):
        namespace.sysctl(**{"net.ipv6.conf.all.disable_ipv6": 0})
    client.ip("addr", "add", "fd00:1::1/64", "dev", "eth0", "nodad")
    client.ip("-6", "route", "add", "fd00:3::/64", "via", "fd00:1::fe")
    for backend, address in zip(lab.backends, BACKENDS6):
        backend.ip("addr", "add", f"{address}/64", "dev", "eth0", "nodad")


def start_receivers(lab):
    nginx, haproxy = lab.backends
    text = nginx.config.read_text().rstrip().removesuffix("}")
    nginx.config.write_text(text + NGINX.format(port=PORT))
    nginx.run("nginx", "-c", nginx.config, "-e", nginx.work / "error.log", "-s", "reload")
    config = haproxy.work / "haproxy.cfg"
    config.write_text(HAPROXY.format(port=PORT))
    lab.processes.append(haproxy.start("haproxy", "-db", "-f", config))
    lab.processes.append(nginx.start(sys.executable, "-c", GREETER % PORT_GREETER))
    for backend, port in ((nginx, PORT), (haproxy, PORT), (nginx, PORT_GREETER)):
        wait_until(lambda b=backend, p=port: f":{p} " in b.run("ss", "-Hltn"), 10, "no receiver")


@pytest.fixture(scope="module")
def lab():
    with ExitStack() as stack:
        lab = stack.enter_context(lab_with(Sluice(edit=with_services)))
        give_ipv6(lab)
        start_receivers(lab)
        wait_until(lambda: all_up(lab), 20, "health checks do not pass")
        yield lab


def all_up(lab):
    rows = [row for row in lab.middle.show("backends") if row["service"].split("-")[0] in RECEIVERS]
    return all(row["state"] == "up" for row in rows)


def url(service):
    vip = f"[{VIP6}]" if service[1][0] == "6" else VIP
    return f"http://{vip}:{VIP_PORT[service]}/"


def ask(lab, service, *options):
    """What the receiver was told, in words, and the port that curl had."""
    text = lab.client.run("curl", "-sS", "--max-time", "20", *options, "-w", "%{local_port}",
                          url(service))
    told, port = text.rsplit("\n", 1)
    return told.split(), port


@pytest.mark.parametrize("service", [s for s in SERVICES if s[0] != "greeter"],
                         ids=lambda s: "-".join(s))
def test_receivers_are_told_who_the_client_is(lab, service):
    receiver, families, version = service
    told, port = ask(lab, service)
    client = "fd00:1::1" if families[0] == "6" else "10.1.255.1"
    assert told[:3] == [client, port, vip_of(families)]
    if receiver == "haproxy" and version == "v2":
        assert told[3] == "shop.example"
        assert len(told[4]) == 32
        assert ask(lab, service)[0][4] != told[4], "each connection has an id of its own"


@pytest.mark.parametrize("families", ["44", "66", "64", "46"])
def test_a_server_that_speaks_first_knows_whom_it_greets(lab, families):
    service = ("greeter", families, "v2")
    lines = lab.client.run(sys.executable, "-c", LISTEN_FIRST, vip_of(families),
                           VIP_PORT[service]).splitlines()
    address, port = lines[0].split()
    header = bytes.fromhex(lines[1])
    assert header.startswith(b"\r\n\r\n\0\r\nQUIT\n\x21")
    size = 16 if families[0] == "6" else 4
    assert int.from_bytes(header[16 + 2 * size:18 + 2 * size], "big") == int(port)
    assert lines[2] == "got thanks"
    del address


def nightly(*service):
    return pytest.param(service, marks=pytest.mark.nightly)


@pytest.mark.parametrize("service", [("nginx", "44", "v2"), ("haproxy", "64", "v2"),
                                     nightly("haproxy", "66", "v1"), nightly("nginx", "46", "v1")],
                         ids=lambda s: "-".join(s))
def test_reused_tuples_stall_nobody(lab, service):
    """The servers close first, so that each of the few ports meets TIME_WAIT again and again."""
    assert_no_stall(lab.client, url(service))


@pytest.mark.parametrize("service", [("nginx", "44", "v2"), nightly("haproxy", "66", "v2"),
                                     nightly("haproxy", "46", "v1")], ids=lambda s: "-".join(s))
def test_headers_arrive_over_a_link_that_loses(lab, service):
    before = lab.middle.counters()
    with loss_at(lab.backends[RECEIVERS[service[0]]], one_in=6):
        for _ in range(25):
            assert ask(lab, service)[0][2] == vip_of(service[1])
    after = lab.middle.counters()
    assert after["proxy_headers_resent"] > before["proxy_headers_resent"]
    assert after["proxy_headers_unanswered"] == before["proxy_headers_unanswered"]


def test_a_receiver_that_wants_none_is_counted(lab):
    """nginx's other ports take the header for a request, and close."""
    lab.middle.reload(lab.middle.toml().replace(f"{BACKENDS[0]}:{PORT}\"", f"{BACKENDS[0]}:80\""))
    try:
        done = subprocess.run(lab.client.command("curl", "-s", "--max-time", "5",
                                                 url(("nginx", "44", "v2"))), text=True,
                              capture_output=True)
        assert "10.1.255.1" not in done.stdout
    finally:
        lab.middle.reload(lab.middle.toml())


def test_all_is_accounted_for(lab):
    counters = lab.middle.counters()
    assert counters["proxy_headers_sent"] > 0
    assert counters["stale_answer"] == 0
