# SPDX-License-Identifier: BSD-3-Clause
"""dpdk-dumpcap on a running Sluice, which takes hugepages and shared memory."""

import os
import signal
import subprocess

import pytest

from lab_kit.hugepages import hugepages, mounted
from lab_kit.load import churn
from lab_kit.middles import Sluice
from lab_kit.process import stop_process, wait_until
from lab_kit.toml import add_keys, set_key
from lab_kit.topology import lab_with
from lab_kit.witness import assert_all_well

MEMORY_MB = 256
PREFIX = f"cap{os.getpid()}"  # other DPDK programs may run on this machine


@pytest.fixture
def shared_pages(tmp_path):
    """The folder of a hugetlbfs with room."""
    with hugepages(MEMORY_MB + 32) as free_mb:
        if free_mb < MEMORY_MB:
            pytest.skip(f"only {free_mb} MB of hugepages could be had")
        with mounted("hugetlbfs", "nodev", tmp_path):
            yield tmp_path


def test_dumpcap_captures_while_it_runs(shared_pages):
    def shared(text):
        text = set_key(text, "memory_mb", MEMORY_MB)
        text = set_key(text, "flows_per_worker", 65536)
        text = set_key(text, "hugepages", True)
        return add_keys(text, "eal", multi_process=True, args=[
            f"--file-prefix={PREFIX}", f"--huge-dir={shared_pages}"])
    with lab_with(Sluice(edit=shared)) as lab:
        capture = lab.work / "client.pcapng"
        dumpcap = lab.balancer.start("dpdk-dumpcap", f"--file-prefix={PREFIX}", "-i",
                                     "net_af_packet0", "-w", capture, stdout=subprocess.PIPE,
                                     stderr=subprocess.STDOUT, text=True)
        lab.processes.append(dumpcap)
        wait_until(lambda: capture.exists() or dumpcap.poll() is not None, 20, "no capture began")
        assert dumpcap.poll() is None, dumpcap.communicate()[0]

        def has_begun():
            churn(lab, seconds=5, connections=10)
            return capture.stat().st_size > 2000
        wait_until(has_begun, 30, "nothing was captured")
        assert_all_well(churn(lab, seconds=20, connections=200))
        dumpcap.send_signal(signal.SIGINT)
        dumpcap.wait(20)
        packets = lab.balancer.run("tcpdump", "-nr", capture, "tcp[tcpflags] & tcp-syn != 0")
        syns = [line for line in packets.splitlines() if "Flags [S]," in line]
        assert len(syns) >= 100, packets[:2000]
        # It goes on, without the capture too.
        assert_all_well(churn(lab, seconds=10, connections=100))
        assert stop_process(lab.middle.process) == 0
