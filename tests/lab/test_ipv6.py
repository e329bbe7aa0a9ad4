# SPDX-License-Identifier: BSD-3-Clause
"""IPv6 on either side of Sluice, with real kernels and nginx: clients and backends of each family,
few ports, backends that close first.
"""

import re
from contextlib import ExitStack

import pytest

from lab_kit import toml
from lab_kit.addresses import BACKENDS, VIP
from lab_kit.middles import Sluice
from lab_kit.topology import lab_with

VIP6 = "fd00:3::1"
BACKENDS6 = ["fd00:2::a", "fd00:2::b"]
# The port of the VIP says the families of clients and of backends.
SERVICES = {"66": (f"[{VIP6}]", 8066), "64": (f"[{VIP6}]", 8064), "46": (VIP, 8046)}
FEW_PORTS = (1024, 1039)


def with_ipv6(ports):
    def edit(text):
        text = text.replace('["10.1.255.254/16"]', '["10.1.255.254/16", "fd00:1::fe/64"]')
        text = text.replace('["10.2.255.254/16"]', '["10.2.255.254/16", "fd00:2::fe/64"]')
        services = [toml.entry("route", to="fd00:4::/64", via="fd00:1::1"),
                    toml.local_pool("six", ["fd00:2::1"], ports),
                    toml.local_pool("four", ["10.2.0.2"], ports)]
        for families, (vip, port) in SERVICES.items():
            pool, backends = (("six", [f"[{ip}]:80" for ip in BACKENDS6]) if families[1] == "6" else
                              ("four", [f"{ip}:80" for ip in BACKENDS]))
            services.append(toml.service(f"web{families}", f"{vip}:{port}", pool, backends))
        return text + "".join(services)
    return edit


def give_ipv6(lab):
    client = lab.client
    for namespace in (client, *lab.backends):
        namespace.sysctl(**{"net.ipv6.conf.all.disable_ipv6": 0})
    client.ip("addr", "add", "fd00:1::1/64", "dev", "eth0", "nodad")
    client.ip("-6", "route", "add", "local", "fd00:4::/64", "dev", "lo")
    client.ip("-6", "route", "add", "fd00:3::/64", "via", "fd00:1::fe")
    for backend, address in zip(lab.backends, BACKENDS6):
        backend.ip("addr", "add", f"{address}/64", "dev", "eth0", "nodad")


@pytest.fixture(scope="module", params=[FEW_PORTS], ids=["16-ports"])
def lab(request):
    with ExitStack() as stack:
        lab = stack.enter_context(lab_with(Sluice(edit=with_ipv6(request.param))))
        give_ipv6(lab)
        yield lab


def url(families, path=""):
    vip, port = SERVICES[families]
    return f"http://{vip}:{port}/{path}"


@pytest.mark.parametrize("families", SERVICES)
def test_pages_and_downloads_arrive_whole(lab, families):
    backends = set()
    for _ in range(4):
        text = lab.client.run("curl", "-sSi", "--max-time", "5", url(families))
        backends.add(re.search(r"X-Backend: (\S+)", text)[1])
        assert text.split("\n\n", 1)[1].startswith("abcdefghij")
    assert backends == set(BACKENDS)
    sent = (lab.work / "www" / "random10m").read_bytes()
    got = lab.work / "got"
    lab.client.run("curl", "-sS", "--max-time", "20", "-o", got, url(families, "random10m"))
    assert got.read_bytes() == sent


@pytest.mark.parametrize("families", SERVICES)
def test_reused_tuples_stall_nobody(lab, families):
    """nginx closes first, so that each of the few ports meets TIME_WAIT again and again."""
    before = lab.middle.show("pools")
    text = lab.client.run("wrk", "-t", "1", "-c", "8", "-d", "4", "--latency", url(families))
    assert "Socket errors" not in text
    assert int(re.search(r"(\d+) requests in", text)[1]) > 500
    slowest = re.search(r"Latency +\S+ +\S+ +([\d.]+)(us|ms|s|m)\b", text)
    assert slowest[2] in ("us", "ms"), text  # no SYN was sent twice
    assert before != lab.middle.show("pools")


def test_pings_are_answered(lab):
    for address in (VIP6, "fd00:1::fe"):
        lab.client.run("ping", "-6", "-c", "2", "-i", "0.2", "-W", "2", address)
