# SPDX-License-Identifier: BSD-3-Clause
"""Real HTTP through the VIP: whole, even, with the clients' own timestamps.

Every way of closing and clients without timestamps are in test_rebase, on few ports.
"""

import hashlib
import threading

import pytest

from lab_kit.addresses import VIP
from lab_kit.backend import PORT_KEEPALIVE
from lab_kit.capture import SYNS, captures, own_timestamps
from lab_kit.load import churn, wrk
from lab_kit.middles import Sluice
from lab_kit.topology import lab_with
from lab_kit.witness import assert_all_well


@pytest.fixture(scope="module")
def lab():
    with lab_with(Sluice()) as lab:
        yield lab


def curl(lab, *words, check=True):
    return lab.client.run("curl", "-sS", "--max-time", "60", "--interface", "10.1.1.1", *words,
                          check=check)


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_http_answers(lab):
    assert "200 OK" in curl(lab, "-i", f"http://{VIP}/")


@pytest.mark.parametrize("port", [80, PORT_KEEPALIVE])
def test_downloads_arrive_intact(lab, port):
    want = sha256(lab.work / "www" / "random10m")
    for i in range(4):
        got = lab.work / f"download{i}"
        curl(lab, "-o", got, f"http://{VIP}:{port}/random10m")
        assert sha256(got) == want


def test_downloads_at_a_time_arrive_intact(lab):
    assert_all_well(churn(lab, path="/letters10m", concurrency=8, connections=24, seconds=30,
                          timeout=30))


@pytest.mark.parametrize("port", [80, PORT_KEEPALIVE])
def test_uploads_arrive_intact(lab, port):
    source = lab.work / "www" / "random10m"
    want = sha256(source)
    for i in range(4):
        curl(lab, "-f", "-T", source, f"http://{VIP}:{port}/upload/{port}-{i}")
        stored = [path for path in lab.work.glob(f"backend*/upload/{port}-{i}")]
        assert [sha256(path) for path in stored] == [want]


def test_uploads_at_a_time(lab):
    assert_all_well(churn(lab, close="upload", path="/upload/%", upload_mb=2, concurrency=16,
                          connections=64, seconds=30, timeout=30))


def test_backends_share_evenly(lab):
    served = churn(lab, seconds=60, connections=10_000)["backends"]
    assert sorted(served.values()) == [5000, 5000]


def test_keep_alive_load_has_no_errors(lab):
    result = wrk(lab, seconds=2)
    assert result["errors"] == 0 and result["requests"] > 1000


def test_small_requests_beside_large_downloads(lab):
    small = {}
    thread = threading.Thread(target=lambda: small.update(
        churn(lab, seconds=5, concurrency=16, connections=20_000)))
    thread.start()
    large = churn(lab, path="/letters10m", close="client", concurrency=4, connections=16,
                  seconds=30, timeout=30)
    thread.join()
    assert_all_well(large)
    assert_all_well(small)


def test_backends_see_the_clients_own_timestamps(lab):
    with captures(lab, SYNS, lab.client, *lab.backends) as (client, first, second):
        assert_all_well(churn(lab, seconds=60, connections=8192))
    at_backends = [*first.packets(), *second.packets()]
    assert own_timestamps(client.packets(), at_backends) == (8192, 8192, 8192)


def test_syn_options_pass_byte_for_byte(lab):
    with captures(lab, SYNS, lab.client, lab.backends[0]) as (client, backend):
        churn(lab, seconds=10, connections=64)
    sent = {packet.seq: packet.options for packet in client.packets()}
    arrived = list(backend.packets())
    assert len(arrived) == 32
    assert all(sent[packet.seq] == packet.options for packet in arrived)


def test_counters_agree_with_the_backends(lab):
    before = [lab.backends[i].requests_served() for i in range(2)]
    rows = {row["address"]: row["connections"] for row in lab.middle.show("backends")}
    assert_all_well(churn(lab, seconds=60, connections=1000))
    after = {row["address"]: row["connections"] for row in lab.middle.show("backends")}
    for i, address in enumerate(("10.2.0.10:80", "10.2.0.11:80")):
        # One request more: the question itself.
        assert lab.backends[i].requests_served() - before[i] == 501
        assert after[address] - rows[address] == 500
