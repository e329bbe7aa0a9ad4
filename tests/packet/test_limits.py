# SPDX-License-Identifier: BSD-3-Clause
"""Lists and limits of [service.guard], and of backends: each refusal by its name, with its source;
a flow that is open meets none of them. Lists are changed by reloads."""

import json

import pytest

from balancer import Balancer
from conversation import Talk
from lab_kit import toml
from lab_kit.configuration import Configuration

CLIENT = "10.1.6.7"
GUARD = "[service.guard]"


@pytest.fixture(scope="module")
def sluice(links):
    """One Sluice; each test reloads it with a guard of its own."""
    balancer = Balancer(links, Configuration(count=12, ports=8))
    yield balancer
    assert balancer.stop() == 0, balancer.last_log


@pytest.fixture
def guarded(sluice, service):
    """Reloads with this guard of the test's service, and more keys of its backend."""
    def reload(guard="", backend="", head=""):
        text = sluice.configuration.toml(sluice.socket)
        before, found, after = text.partition(f'name = "{service.name}"\nvip')
        assert found
        own, sign, rest = after.partition("[[service.backend]]\n")
        table = f"{GUARD}\n{guard}\n" if guard else ""
        text = before + found + own + table + sign + backend + rest
        done = sluice.reload(text + head)
        assert done.returncode == 0, done.stderr
    return reload


def is_refused(talk, sluice, reason, answered=True):
    """Its SYN is, and `show refusals` knows by whom it came."""
    with sluice.counts(**{reason: 1}, **({"resets_to_clients": 1} if answered else {})):
        syn = talk.client.sends("S")
        if answered:
            talk.client.gets_reset(seq=0, ack=syn.end)
        else:
            talk.client.gets_nothing()
    assert any(row["reason"] == reason and row["source"] == talk.client.address.ip
               and row["count"] >= 1 for row in sluice.show("refusals"))


def test_a_denied_source_gets_no_answer(wire, sluice, service, guarded):
    flow = Talk(wire, service, CLIENT).opens()
    guarded('deny = ["10.1.6.0/24"]')
    flow.chats()
    is_refused(Talk(wire, service, CLIENT), sluice, "source_denied", answered=False)
    Talk(wire, service, "10.1.7.1").opens().chats()
    guarded('deny = ["10.1.6.0/24"]\nallow = ["10.1.6.7", "0.0.0.0/0"]')
    Talk(wire, service, CLIENT).opens().chats()
    (row,) = json.loads(sluice.ctl("--json", "why", "--client", CLIENT))["why"]
    assert row["verdict"] == "dropped" and row["reason"] == "source_denied"


def test_a_list_for_all_services(wire, sluice, service, guarded):
    guarded(head='[guard]\nallow = ["10.1.7.0/24"]\n')
    is_refused(Talk(wire, service, CLIENT), sluice, "source_not_allowed", answered=False)
    Talk(wire, service, "10.1.7.1").opens().chats()
    guarded()


def test_a_file_is_read_with_each_reload(wire, sluice, service, guarded, tmp_path):
    path = tmp_path / "deny.txt"
    path.write_text(f"# one\n{CLIENT}\n")
    guarded(f'deny_file = "{path}"')
    is_refused(Talk(wire, service, CLIENT), sluice, "source_denied", answered=False)
    path.write_text("10.1.6.300\n")
    refused = sluice.ctl_run("reload")
    assert refused.returncode == 1 and f'{path}:1: got "10.1.6.300"' in refused.stderr
    is_refused(Talk(wire, service, CLIENT), sluice, "source_denied", answered=False)
    path.write_text("")
    assert sluice.ctl_run("reload").returncode == 0
    Talk(wire, service, CLIENT).opens().chats()


def test_a_service_is_full(wire, sluice, service, guarded):
    guarded("max_connections = 2")
    first, second = (Talk(wire, service, CLIENT).opens() for _ in range(2))
    is_refused(Talk(wire, service, "10.1.7.1"), sluice, "service_full")
    (row,) = [row for row in sluice.show("services") if row["name"] == service.name]
    assert row["active"] == row["max_connections"] == 2 and row["refused"] == 1
    second.chats().client_closes_first()
    Talk(wire, service, "10.1.7.1").opens().chats()
    first.chats()


def second_is_refused(first, second, sluice, reason):
    """Two SYNs one behind the other, of which one a second may pass."""
    with sluice.counts(**{reason: 1}, resets_to_clients=1, flows_opened=1):
        passes, refused = first.client.sends("S"), second.client.sends("S")
        first.backend.gets(passes)
        second.client.gets_reset(seq=0, ack=refused.end)
    assert any(row["reason"] == reason and row["source"] == second.client.address.ip
               for row in sluice.show("refusals"))
    first.is_answered().chats()


def test_a_service_takes_so_many_a_second(wire, sluice, service, guarded):
    guarded("max_new_per_second = 1")
    second_is_refused(Talk(wire, service, CLIENT), Talk(wire, service, "10.1.7.1"), sluice,
                      "service_rate")


def test_a_client_has_so_many(wire, sluice, service, guarded):
    guarded("client_connections = 2\nclient_prefix_v4 = 24")
    half_open = Talk(wire, service, CLIENT)
    half_open.backend.gets(half_open.client.sends("S"))
    flow = Talk(wire, service, "10.1.6.8").opens()
    is_refused(Talk(wire, service, "10.1.6.9"), sluice, "client_full")
    other = Talk(wire, service, "10.1.7.1").opens()
    half_open.is_answered().client_closes_first()
    Talk(wire, service, "10.1.6.9").opens().chats()
    flow.chats()
    other.chats()
    assert sluice.show("workers")[0]["clients"] >= 2


def test_a_client_opens_so_many_a_second(wire, sluice, service, guarded):
    guarded("client_new_per_second = 1")
    second_is_refused(Talk(wire, service, CLIENT), Talk(wire, service, CLIENT), sluice,
                      "client_rate")
    Talk(wire, service, "10.1.7.1").opens().chats()


def test_full_backends_refuse_or_have_the_client_wait(wire, sluice, service, guarded):
    guarded(backend="max_connections = 1\n")
    flow = Talk(wire, service, CLIENT).opens()
    is_refused(Talk(wire, service, CLIENT), sluice, "backends_full")
    guarded('backends_full = "wait"', backend="max_connections = 1\n")
    waits = Talk(wire, service, CLIENT)
    is_refused(waits, sluice, "backends_full", answered=False)
    flow.chats().client_closes_first()
    waits.opens().chats()
