# SPDX-License-Identifier: BSD-3-Clause
"""Rows of the cost benches as tables."""

from table import print_table

# Bench: title, and columns as (head, key). A row that has no such key shows a dash.
TABLES = {
    "established": ("Packets of open connections, 64 bytes, both directions, TSC ticks; ports and "
                    "generator taken out", [
        ("flows", "flows"), ("", "distribution"), ("index", "index"),
        ("ticks/packet", "ticks_per_packet"),
        ("Mpps", "mpps"), ("in", "ticks_in"), ("out", "ticks_out"),
        ("generator", "ticks_generator"), ("to testpmd", "ratio_to_testpmd")]),
    "families": ("Packets of open TCP connections by family of clients and of backends, 64 bytes "
                 "(84 of IPv6), both directions, TSC ticks", [
        ("flows", "flows"), ("", "families"), ("ticks/packet", "ticks_per_packet"),
        ("Mpps", "mpps"), ("in", "ticks_in"), ("out", "ticks_out"), ("to IPv4", "ratio_to_v4")]),
    "udp": ("Datagrams of UDP flows, 64 bytes, both directions, TSC ticks", [
        ("flows", "flows"), ("index", "index"), ("ticks/packet", "ticks_per_packet"),
        ("Mpps", "mpps"), ("generator", "ticks_generator")]),
    "udp_one_shot": ("One-shot UDP flows, from query to answer", [
        ("at a time", "at_a_time"), ("queries a second", "per_second"),
        ("ticks/query", "ticks_per_query"), ("dropped", "dropped")]),
    "altered": ("Packets with timestamps of plain, fitted and rewritten flows, TSC ticks", [
        ("", "kind"), ("flows", "flows"), ("in", "ticks_in"), ("out", "ticks_out")]),
    "new_flows": ("SYNs turned into flows", [
        ("flows", "flows"), ("index", "index"), ("a second", "per_second"),
        ("ticks", "ticks_per_packet")]),
    "expiry": ("All of them expiring at once", [
        ("flows", "flows"), ("index", "index"), ("ticks/flow", "ticks_per_flow"),
        ("us a call, p50", "us_held_p50"),
        ("p99.9", "us_held_p999"), ("worst", "us_held_worst"),
        ("worst gap of an idle core", "us_gap_idle")]),
    "lives": ("Whole lives, SYN to both FINs, ports free", [
        ("at a time", "at_a_time"), ("a second", "per_second"), ("ticks/life", "ticks_per_life"),
        ("ticks/packet", "ticks_per_packet")]),
    "lives_reuse": ("Whole lives, each on a port held in TIME_WAIT", [
        ("at a time", "at_a_time"), ("a second", "per_second"), ("ticks/life", "ticks_per_life"),
        ("ticks/packet", "ticks_per_packet"), ("rebased", "rebased_share")]),
    "attack": ("SYNs that serve nobody", [
        ("", "kind"), ("ticks/packet", "ticks_per_packet"), ("Mpps", "mpps")]),
    "kernel": ("Packets and the way to the kernel (`interface.kernel`), the worker's part", [
        ("", "kind"), ("ticks/packet", "ticks_per_packet"), ("Mpps", "mpps")]),
    "scaling": ("Workers on cores of their own against one, open connections, each between its own "
                "ports of memory", [
        ("workers", "workers"), ("flows each", "flows"), ("Mpps, one", "mpps_one"),
        ("Mpps, all", "mpps_all"), ("times", "times")]),
    "reload": ("A worker's longest iteration in its own CPU time, without and with reloads of many "
               "backends that follow each other", [
        ("backends", "backends"), ("local addresses", "locals"), ("reloads", "reloads"),
        ("us without", "us_longest_without"), ("us with", "us_longest_with"), ("times", "times"),
        ("dropped", "dropped")]),
    "memory": ("Memory, everything included", [
        ("flows", "flows"), ("", "families"), ("index", "index"), ("bytes/flow", "bytes_per_flow"),
        ("MB at start", "mb_at_start"), ("MB full", "mb_full")]),
    "routes": ("A look-up of a route, TSC ticks; making it, and its memory", [
        ("", "family"), ("prefixes", "where"), ("routes", "routes"), ("list", "list"),
        ("table", "table"), ("rte_lpm", "lpm"), ("rte_fib", "fib"),
        ("table ms", "table_ms"), ("rte_lpm ms", "lpm_ms"), ("rte_fib ms", "fib_ms"),
        ("table MB", "table_mb"), ("rte_lpm MB", "lpm_mb"), ("rte_fib MB", "fib_mb")]),
    "lists": ("A look-up of a source in a list of [guard], TSC ticks, beside routes", [
        ("", "family"), ("prefixes", "prefixes"), ("list", "list"), ("as many routes", "routes"),
        ("1,000 routes", "few_routes"), ("list ms", "list_ms"), ("list MB", "list_mb")]),
    "neighbours": ("A look-up of a neighbour, TSC ticks", [
        ("", "family"), ("neighbours", "neighbours"), ("own", "own"), ("rte_hash", "rte_hash")]),
    "toeplitz": ("A hash of RSS, TSC ticks", [
        ("", "family"), ("tables", "tables"), ("rte_softrss", "softrss"),
        ("rte_thash_gfni", "gfni")]),
    "ports": ("Beside testpmd on the same ports, each a process on one core; the port included",
              [("", "program"), ("port", "port"), ("flows", "flows"),
               ("ticks/packet", "ticks_per_packet"), ("Mpps", "mpps"),
               ("to 5tswap", "ratio_to_testpmd")]),
    "memif": ("Between processes, net_memif, zero-copy client; the generator may be the limit", [
        ("", "program"), ("flows", "flows"), ("ticks/packet", "ticks_per_packet"),
        ("Mpps", "mpps"), ("lost share", "lost_share"), ("to 5tswap", "ratio_to_testpmd"),
        ("round trip ns", "round_trip_ns"), ("discarded", "discarded")]),
    "latency": ("Latency through Sluice and back over net_memif", [
        ("load %", "load_percent"), ("Mpps", "mpps"), ("p50 us", "us_p50"), ("p99 us", "us_p99"),
        ("p99.9 us", "us_p999"), ("lost", "lost"), ("round trip ns", "round_trip_ns"),
        ("discarded", "discarded")]),
    "restart": ("From the last packet of one Sluice to the first of the next, which goes on with "
                "its flows", [
        ("ended by", "program"), ("port", "port"), ("flows", "flows"), ("adopted", "adopted"),
        ("adoption ms", "adoption_ms"), ("pause ms, median", "pause_ms"),
        ("worst", "pause_ms_max")]),
}


def add_ratios(rows):
    """Gives the rows of open connections their ratio to testpmd's 5tswap over the same ports. At
    the number of connections that the run on ports has it is that run's; at others the difference
    that the in-process rows show is added to it, and the row says that it was derived."""
    by_program = {row["program"]: row for row in rows if row["name"] == "ports"}
    sluice, limit = by_program.get("sluice"), by_program.get("testpmd 5tswap")
    uniform = [row for row in rows if row["name"] == "established"]
    # The run on ports has the default index, whose rows come first.
    base = next((row for row in uniform if sluice and row["flows"] == sluice["flows"]), None)
    if not (base and limit):
        return
    for row in uniform:
        difference = row["ticks_per_packet"] - base["ticks_per_packet"]
        row["ratio_to_testpmd"] = ((sluice["ticks_per_packet"] + difference) /
                                   limit["ticks_per_packet"])
        row["ratio_derived"] = row is not base


def show(rows):
    for name, (title, columns) in TABLES.items():
        chosen = [row for row in rows if row["name"] == name]
        if not chosen:
            continue
        print(f"\n{title}\n")
        print_table([[head for head, _ in columns],
                     *([row.get(key) for _, key in columns] for row in chosen)])
