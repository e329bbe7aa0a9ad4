# SPDX-License-Identifier: BSD-3-Clause
"""IPv6 on either side of Sluice, with real kernels and nginx: clients and backends of each family,
few ports, backends that close first; one worker, and two that hand packets to each other.
"""

import re
from contextlib import ExitStack

import pytest

from lab_kit.addresses import BACKENDS
from lab_kit.ipv6 import (FAMILIES, INTERFACE6, VIP6, endpoint, give_ipv6, service, vip,
                          with_ipv6)
from lab_kit.load import assert_no_stall
from lab_kit.middles import Sluice
from lab_kit.toml import set_key
from lab_kit.topology import lab_with

PORT = {"66": 8066, "64": 8064, "46": 8046}


def one_worker(text):
    return with_ipv6(text, (1024, 1039), [service(f, "web", PORT[f], 80) for f in FAMILIES])


def two_workers(text):
    """As many ports for each."""
    text = with_ipv6(text, (1024, 1055), [service(f, "web", PORT[f], 80) for f in FAMILIES])
    return set_key(set_key(text, "main_lcore", 0), "worker_lcores", [0, 1])


@pytest.fixture(scope="module", params=[one_worker, two_workers])
def lab(request):
    with ExitStack() as stack:
        lab = stack.enter_context(lab_with(Sluice(edit=request.param)))
        give_ipv6(lab)
        yield lab
        counters = lab.middle.counters()
        assert counters["no_flow_inbound"] == counters["no_flow_outbound"] == 0
        workers = lab.middle.show("workers")
        if len(workers) > 1:
            assert all(row["handed_off"] > 0 for row in workers), workers


def url(families, path=""):
    return f"http://{endpoint(vip(families), PORT[families])}/{path}"


@pytest.mark.parametrize("families", FAMILIES)
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


@pytest.mark.parametrize("families", FAMILIES)
def test_reused_tuples_stall_nobody(lab, families):
    """nginx closes first, so that each of the few ports meets TIME_WAIT again and again."""
    before = lab.middle.show("pools")
    assert_no_stall(lab.client, url(families), seconds=4, least=500)
    assert before != lab.middle.show("pools")


def test_pings_are_answered(lab):
    for address in (VIP6, INTERFACE6):
        lab.client.run("ping", "-6", "-c", "2", "-i", "0.2", "-W", "2", address)
