# SPDX-License-Identifier: BSD-3-Clause
"""Two workers on two cores, whose packets find their owner through rings (`handoff`).

The control thread has a core with one of them, and so has the rest of the lab: nothing here looks
at rates. What a kernel spreads over the queues of a packet socket, by a hash of its own, is the
wrong worker's in one of two cases; connections must not notice.
"""

import time

from lab_kit.addresses import LOCAL
from lab_kit.load import Churn, churn, wrk
from lab_kit.middles import Sluice, ports_from
from lab_kit.toml import set_key
from lab_kit.topology import lab_with
from lab_kit.trace import CLIENT, connect, trace
from lab_kit.witness import assert_all_well, witness

# Not handoff_full: a worker that shares its core may be away for longer than a ring lasts.
DROPS_OF_STRAYS = ("no_flow_inbound", "no_flow_outbound", "no_flow_icmp")


def two_workers(toml):
    return set_key(set_key(toml, "main_lcore", 0), "worker_lcores", [0, 1])


def sluice(ports, edit=two_workers):
    return Sluice(ports, "rebase", edit=edit)


def assert_both_served(lab):
    """Each worker has received, handed off, taken over, and has used ports of its own."""
    workers = lab.middle.show("workers")
    assert [row["steering"] for row in workers] == ["handoff", "handoff"]
    for row in workers:
        assert row["queues"] == "client rx+tx, backend rx+tx"
        assert row["packets_in"] > 0 and row["handed_off"] > 0 and row["taken_over"] > 0, row
    for worker in (0, 1):
        taken = sum(row["taken"] for row in lab.middle.show("pools") if row["worker"] == worker)
        assert taken > 0, f"worker {worker} opened nothing"
    counters = lab.middle.counters()
    assert {name: counters[name] for name in DROPS_OF_STRAYS} == dict.fromkeys(DROPS_OF_STRAYS, 0)


def test_few_ports_under_churn():
    """Every tuple is used again and again while a backend holds it in TIME_WAIT."""
    with lab_with(sluice(ports_from(32))) as lab:
        with witness(lab) as seen:
            report = churn(lab, seconds=4, concurrency=8)
        assert_all_well(report)
        seen.assert_reuse()
        seen.assert_no_reject()
        assert_both_served(lab)
        for worker in (0, 1):
            ports = [row["ports"] for row in lab.middle.show("pools") if row["worker"] == worker]
            assert ports and set(ports) == {16}


def test_across_reloads():
    """A local address comes and goes while connections are opened."""
    with lab_with(sluice(ports_from(64))) as lab:
        text = lab.middle.toml()
        more = text.replace(f'["{LOCAL}"]', f'["{LOCAL}", "10.2.0.2"]')
        load = Churn(lab, seconds=5, concurrency=8)
        for toml in (more, text, more, text):
            time.sleep(1)
            done = lab.middle.reload(toml)
            assert done.returncode == 0, done.stderr
        assert_all_well(load.finish())
        assert_both_served(lab)
        taken = sum(row["taken"] for row in lab.middle.show("pools") if row["local"] == "10.2.0.2")
        assert taken > 0


def test_long_connections_and_large_ones():
    with lab_with(sluice(ports_from(1000))) as lab:
        report = wrk(lab, seconds=2, connections=32)
        assert report["errors"] == 0 and report["requests"] > 0
        large = churn(lab, close="client", path="/letters10m", concurrency=4, connections=8,
                      seconds=60)
        assert_all_well(large)
        assert_both_served(lab)


def test_one_queue_for_two_workers():
    """The second worker neither receives nor sends by itself."""
    def one_queue(toml):
        return two_workers(toml).replace("framecnt=4096", "framecnt=4096,qpairs=1")

    with lab_with(sluice(ports_from(64), one_queue)) as lab:
        assert_all_well(churn(lab, seconds=3, concurrency=8))
        first, second = lab.middle.show("workers")
        assert first["queues"] == "client rx+tx, backend rx+tx"
        assert second["queues"] == "client -, backend -"
        assert second["packets_in"] == 0 and second["taken_over"] > 0
        assert second["packets_out"] == 0, "its frames leave through the first worker"
        assert lab.middle.counters()["relays_taken"] > 0


def test_a_trace_sees_a_packet_change_hands():
    """A client's packet that another worker received is there twice: handed off, and taken over.
    Only the owner can tell whose a backend's is. Half of the connections have such packets."""
    with lab_with(sluice(ports_from(64))) as lab:
        with trace(lab, "--json", "--count=1000", "--client", CLIENT) as rows:
            for _ in range(12):
                assert connect(lab, 80) == 0
    handed = [row for row in rows if row["verdict"] == "handed_off"]
    taken = [row for row in rows if row["taken_over"]]
    assert handed and all(row["out"] is None for row in handed)
    assert {row["verdict"] for row in taken} == {"sent"}
    assert sorted(str(row["in"]) for row in handed) == \
        sorted(str(row["in"]) for row in taken if row["from"] == "client")
