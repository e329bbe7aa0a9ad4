# SPDX-License-Identifier: BSD-3-Clause
"""dpdk-dumpcap on a running Sluice, which takes hugepages and shared memory."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from conftest import assert_all_well, lab_with
from lab_kit.load import churn
from lab_kit.middles import Sluice, set_key
from lab_kit.topology import stop_process, wait_until

PAGES = Path("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages")
MEMORY_MB = 256
PREFIX = f"cap{os.getpid()}"  # other DPDK programs may run on this machine


@pytest.fixture
def hugepages(tmp_path):
    """A hugetlbfs with room; how many pages there were comes back afterwards."""
    before = PAGES.read_text() if PAGES.exists() else None
    mounted = False
    try:
        if before is None:
            pytest.skip("this kernel has no 2 MB hugepages")
        try:
            PAGES.write_text(str(int(before) + MEMORY_MB // 2 + 16))
        except OSError as error:
            pytest.skip(f"no hugepages may be reserved: {error}")
        free = PAGES.parent / "free_hugepages"
        if int(free.read_text()) * 2 < MEMORY_MB:
            pytest.skip(f"only {free.read_text().strip()} hugepages could be had")
        mounted = subprocess.run(["mount", "-t", "hugetlbfs", "nodev", tmp_path]).returncode == 0
        if not mounted:
            pytest.skip("hugetlbfs cannot be mounted")
        yield tmp_path
    finally:
        if mounted:
            subprocess.run(["umount", tmp_path], check=True)
        if before is not None and PAGES.read_text() != before:
            PAGES.write_text(before)


def test_dumpcap_captures_while_it_runs(hugepages):
    def shared(toml):
        toml = set_key(toml, "memory_mb", MEMORY_MB)
        toml = set_key(toml, "flows_per_worker", 65536)
        toml = set_key(toml, "hugepages", "true\nmulti_process = true")
        return toml.replace("[eal]\n", f'[eal]\nargs = ["--file-prefix={PREFIX}", '
                            f'"--huge-dir={hugepages}"]\n')
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
