# SPDX-License-Identifier: BSD-3-Clause
"""SYN cookies beside real kernels: pages, uploads and downloads by spliced connections, with few
ports that are used again, over links that lose, and beside a flood."""

import statistics
import time

import pytest

from lab_kit import toml
from lab_kit.addresses import BACKENDS, VIP
from lab_kit.load import Churn, assert_no_stall
from lab_kit.middles import Sluice
from lab_kit.namespace import loss_at
from lab_kit.topology import lab_with
from test_flood import Flood, SILENT, blackhole, connections

VIP6 = "fd00:3::1"
BACKENDS6 = ["fd00:2::a", "fd00:2::b"]
PORTS = (2000, 2063)
VIP_PORT = {"44": 8144, "66": 8166, "64": 8164, "46": 8146}


def cookies(mode):
    return toml.table("service.guard", syn_cookies=mode)


def with_cookies(text):
    text = text.replace('["10.1.255.254/16"]', '["10.1.255.254/16", "fd00:1::fe/64"]')
    text = text.replace('["10.2.255.254/16"]', '["10.2.255.254/16", "fd00:2::fe/64"]')
    parts = [toml.local_pool("six", ["fd00:2::1"], PORTS),
             toml.local_pool("four", ["10.2.0.2"], PORTS),
             toml.local_pool("all", ["10.2.0.3"], (1024, 65535))]
    for families, port in VIP_PORT.items():
        vip = f"[{VIP6}]" if families[0] == "6" else VIP
        backends = BACKENDS6 if families[1] == "6" else BACKENDS
        ends = [f"[{ip}]:80" if ":" in ip else f"{ip}:80" for ip in backends]
        parts.append(toml.service("spliced" + families, f"{vip}:{port}",
                                  "six" if families[1] == "6" else "four", ends,
                                  tables=cookies("always")))
    # In the place of `web`, for the flood.
    text = text.replace(f'vip = "{VIP}:80"', f'vip = "{VIP}:8180"')
    parts.append(toml.service("guarded", f"{VIP}:80", "all", [f"{ip}:80" for ip in BACKENDS],
                              tables=cookies("auto")))
    return text + "".join(parts)


@pytest.fixture(scope="module")
def lab():
    with lab_with(Sluice(edit=with_cookies)) as lab:
        for namespace in (lab.client, *lab.backends):
            namespace.sysctl(**{"net.ipv6.conf.all.disable_ipv6": 0})
        lab.client.ip("addr", "add", "fd00:1::1/64", "dev", "eth0", "nodad")
        lab.client.ip("-6", "route", "add", "fd00:3::/64", "via", "fd00:1::fe")
        for backend, address in zip(lab.backends, BACKENDS6):
            backend.ip("addr", "add", f"{address}/64", "dev", "eth0", "nodad")
        for families in VIP_PORT:  # what backends agree to is learnt once
            lab.client.run("curl", "-sS", "-o", "/dev/null", url(families))
        yield lab


def url(families, path=""):
    vip = f"[{VIP6}]" if families[0] == "6" else VIP
    return f"http://{vip}:{VIP_PORT[families]}/{path}"


@pytest.mark.parametrize("families", VIP_PORT)
def test_downloads_arrive_whole(lab, families):
    before = lab.middle.counters()
    for name in ("random10m", "index.html"):
        lab.client.run("curl", "-sS", "--max-time", "20", "-o", lab.work / "got",
                       url(families, name))
        assert (lab.work / "got").read_bytes() == (lab.work / "www" / name).read_bytes()
    after = lab.middle.counters()
    assert after["syn_cookies_accepted"] == before["syn_cookies_accepted"] + 2


@pytest.mark.parametrize("families", [
    f if f == "44" else pytest.param(f, marks=pytest.mark.nightly) for f in VIP_PORT])
def test_reused_tuples_stall_nobody(lab, families):
    assert_no_stall(lab.client, url(families))


@pytest.mark.parametrize("host", ["client", pytest.param("backend", marks=pytest.mark.nightly)])
def test_what_is_lost_comes_again(lab, host):
    with loss_at(lab.client if host == "client" else lab.backends[0], one_in=10):
        for _ in range(15):
            page = lab.client.run("curl", "-sS", "--max-time", "20", url("44"))
            assert page.startswith("abcdefghij")


def test_a_backend_that_refuses_is_told_of(lab):
    for backend in lab.backends:
        backend.nft("""
            table inet no {
              chain in {
                type filter hook input priority 0;
                tcp dport 80 reject with tcp reset
              }
            }""")
    try:
        began = time.monotonic()
        lab.client.run("curl", "-sS", "--max-time", "10", url("44"), check=False)
        assert time.monotonic() - began < 2, "its client hears of it at once"
    finally:
        for backend in lab.backends:
            backend.nft("delete table inet no")


def test_a_flood_costs_real_clients_nothing(lab):
    """20,000 SYNs a second of nobody, beside 100 connections a second."""
    blackhole(lab)
    flood = Flood(lab, seconds=12)
    time.sleep(3)
    before = lab.middle.counters()
    load = Churn(lab, rate=100, concurrency=512, seconds=6, log=True)
    report, share, times = connections(load)
    after = lab.middle.counters()
    sent = flood.finish()
    print(f"{sent} SYNs; {report['opened']} connections, {share:.2%}, "
          f"median {statistics.median(times):.1f} ms, worst {max(times):.0f} ms")
    assert after["syn_cookies_sent"] - before["syn_cookies_sent"] > 50_000
    assert after["syn_cookies_accepted"] - before["syn_cookies_accepted"] > 300
    assert after["syn_deferred"] == before["syn_deferred"]
    assert share == 1 and max(times) < 900, report
    assert SILENT
