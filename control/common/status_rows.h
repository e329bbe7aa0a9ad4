// SPDX-License-Identifier: BSD-3-Clause
// The rows of `sluicectl show` and of the status, field by field (row_fields.h). docs/status.md is
// held to these lists by a test. The daemon fills them, sluicectl reads them back.
#pragma once

#include "control/common/row_fields.h"

namespace sluice::control {

// A line is a field.
// clang-format off

// Of `show services` and the status's `services`.
#define SLUICE_SERVICE_FIELDS(FIELD) \
  FIELD(String, name, kName, kShow, "as configured") \
  FIELD(String, vip, kName, kShow, "its address and port") \
  FIELD(String, protocol, kName, kShow, "as configured") \
  FIELD(String, scheduler, kText, kShow, "as configured") \
  FIELD(String, local_pool, kText, kShow, "as configured") \
  FIELD(String, tcp_timestamps, kText, kShow, "as configured") \
  FIELD(String, proxy_protocol, kText, kShow, "as configured: `off`, `v1` or `v2`") \
  FIELD(Flag, toa, kText, kShow, "whether a TCP option tells backends the client's address") \
  FIELD(OptString, health_check, kText, kShow, "the type of its health check; null without one") \
  FIELD(OptString, all_down, kText, kShow, \
        "`refuse` or `use_all` while every backend is down, else null") \
  FIELD(Whole, backends, kGauge, kShow, "backends configured") \
  FIELD(Whole, active, kGauge, kShow, "flows that are not over") \
  FIELD(OptWhole, max_connections, kGauge, kShow, "how many that may be; null without a limit") \
  FIELD(Watched, connections, kCounter, kShow, "flows opened") \
  FIELD(Watched, refused, kCounter, kShow, \
        "SYNs refused: by its guard, for want of a backend, port or flow entry, or in a drain") \
  FIELD(Whole, backends_up, kFigure, kStatus, "backends that take new connections") \
  FIELD(Number, bytes_in_per_s, kFigure, kStatus, "to its backends, of the last second") \
  FIELD(Number, bytes_out_per_s, kFigure, kStatus, "from its backends, of the last second") \
  FIELD(Whole, half_open, kFigure, kStatus, "handshakes that are not finished") \
  FIELD(Number, half_open_flood_per_s, kFigure, kStatus, \
        "handshakes that made way, and SYNs deferred") \
  FIELD(Whole, half_open_flood_recent, kFigure, kStatus, "the same of the last ten seconds") \
  FIELD(Whole, syns_deferred_recent, kFigure, kStatus, "SYNs deferred in the last ten seconds") \
  FIELD(Whole, ports, kFigure, kStatus, "local ports towards its backends") \
  FIELD(Severity, severity, kGauge, kStatus, "how bad it is: `ok`, `warning`, `critical`") \
  FIELD(String, condition, kText, kStatus, "why, in a word") \
  FIELD(String, remedy, kText, kStatus, "what to do about it")
SLUICE_ROW(ServiceRow, SLUICE_SERVICE_FIELDS)

// Of `show backends` and the status's `backends`.
#define SLUICE_BACKEND_FIELDS(FIELD) \
  FIELD(String, service, kName, kShow, "the service's name") \
  FIELD(String, vip, kName, kShow, "the service's address and port") \
  FIELD(String, protocol, kName, kShow, "the service's: `tcp` or `udp`") \
  FIELD(String, address, kName, kShow, "address and port") \
  FIELD(Whole, weight, kGauge, kShow, "the weight that counts; 0 takes no new flows") \
  FIELD(String, state, kText, kShow, "`up`, `draining`, `down`, `unhealthy` or `removed`") \
  FIELD(Whole, weight_configured, kGauge, kShow, "the weight in the file") \
  FIELD(OptString, override, kText, kShow, "what an operator put over the file; null without") \
  FIELD(OptNumber, handshake_p50_ms, kFigure, kShow, \
        "from SYN to SYN-ACK: the median of ten seconds") \
  FIELD(OptNumber, handshake_p99_ms, kFigure, kShow, "the same: the 99th percentile") \
  FIELD(Buckets, handshake_counts, kFigure, kShow, "handshakes by time, since the start") \
  FIELD(Whole, handshake_us, kFigure, kShow, "the sum of these times") \
  FIELD(Whole, active, kGauge, kShow, "flows that are not over") \
  FIELD(OptWhole, max_connections, kGauge, kShow, "how many that may be; null without a limit") \
  FIELD(Watched, connections, kCounter, kShow, "flows opened") \
  FIELD(Watched, packets_in, kCounter, kShow, "packets forwarded to it") \
  FIELD(Watched, packets_out, kCounter, kShow, "packets forwarded from it") \
  FIELD(Watched, bytes_in, kCounter, kShow, "bytes of these, from the IP header on") \
  FIELD(Watched, bytes_out, kCounter, kShow, "bytes of these, from the IP header on") \
  FIELD(Watched, answered, kCounter, kShow, "SYN-ACKs that it sent") \
  FIELD(Watched, refused, kCounter, kShow, "SYNs that it answered with RST") \
  FIELD(Watched, unanswered, kCounter, kShow, \
        "SYNs that clients sent again for want of an answer") \
  FIELD(Whole, half_open, kGauge, kShow, "handshakes that are not finished") \
  FIELD(Watched, half_open_evicted, kCounter, kShow, "handshakes that made way for newer ones") \
  FIELD(Watched, syns_deferred, kCounter, kShow, \
        "SYNs dropped in a flood until they are repeated") \
  FIELD(Watched, resets, kCounter, kShow, "flows ended by RST") \
  FIELD(Watched, timeouts, kCounter, kShow, "flows ended by idle time") \
  FIELD(Watched, heals, kCounter, kShow, "stale answers met with a RST and the SYN again") \
  FIELD(Whole, heal_moves, kCounter, kShow, "heals that took another local port") \
  FIELD(Whole, heals_succeeded, kCounter, kShow, "healed flows that it then answered") \
  FIELD(Watched, heals_failed, kCounter, kShow, "flows given up after four heals") \
  FIELD(Whole, timestamps_kept, kFigure, kShow, "SYN-ACKs that answer timestamps with timestamps") \
  FIELD(Whole, timestamps_refused, kFigure, kShow, "SYN-ACKs that do not") \
  FIELD(OptString, health, kText, kShow, \
        "`unchecked`, `up`, `starting`, `down`; null without a check") \
  FIELD(String, health_reason, kText, kShow, "what was wrong at the last check that was bad") \
  FIELD(String, check_error, kText, kShow, "why it cannot be checked") \
  FIELD(OptWhole, health_since_s, kFigure, kShow, "how long `health` has been what it is") \
  FIELD(Flag, healthy, kGauge, kShow, \
        "whether health lets it take new flows; true without a check") \
  FIELD(Whole, share_percent, kGauge, kShow, "of its weight, by a slow start; 100 otherwise") \
  FIELD(Whole, checks_good, kCounter, kShow, "health checks that were good") \
  FIELD(Whole, checks_bad, kCounter, kShow, "health checks that were bad") \
  FIELD(OptWhole, check_ms, kGauge, kShow, "how long the last check took; null without a check") \
  FIELD(OptWhole, check_usual_ms, kFigure, kShow, "the median of the last five good checks") \
  FIELD(OptString, why, kText, kShow, \
        "what speaks against it, in a few words; null where nothing does") \
  FIELD(OptNumber, handshake_others_ms, kFigure, kStatus, \
        "`handshake_p50_ms` of the service's others: the median") \
  FIELD(OptNumber, check_others_ms, kFigure, kStatus, \
        "`check_usual_ms` of the service's others: the median") \
  FIELD(Flag, others_talk, kFigure, kStatus, "whether another of the service sends payload") \
  FIELD(Flag, usable, kFigure, kStatus, "takes new connections") \
  FIELD(Severity, severity, kGauge, kStatus, "how bad it is: `ok`, `warning`, `critical`") \
  FIELD(String, condition, kText, kStatus, "how it is, in a word") \
  FIELD(String, condition_text, kText, kStatus, "the same in a sentence, after its name") \
  FIELD(String, remedy, kText, kStatus, "what to do about it")
SLUICE_ROW(BackendRow, SLUICE_BACKEND_FIELDS)

// Of `show pools`: one local address towards one backend, as one worker has it.
#define SLUICE_POOL_FIELDS(FIELD) \
  FIELD(String, local_pool, kText, kShow, "the [[local_pool]] that has the address") \
  FIELD(String, services, kText, kShow, "services that take its ports") \
  FIELD(String, local, kName, kShow, "the local address") \
  FIELD(String, backend, kName, kShow, "address and port") \
  FIELD(String, protocol, kName, kShow, "of its flows: `tcp` or `udp`") \
  FIELD(Whole, worker, kName, kShow, "whose ports these are") \
  FIELD(Flag, removed, kFigure, kShow, "no service names it any more") \
  FIELD(Whole, ports, kFigure, kShow, "ports there are") \
  FIELD(Whole, available, kGauge, kShow, "ports whose tuple the backend has forgotten") \
  FIELD(Whole, time_wait, kGauge, kShow, "ports whose tuple the backend was left holding") \
  FIELD(Whole, in_use, kGauge, kShow, "ports of flows that are not over") \
  FIELD(Whole, peak, kGauge, kShow, "most in use at a time") \
  FIELD(Whole, taken, kFigure, kShow, "ports taken") \
  FIELD(Whole, fresh, kCounter, kShow, "of these, never used before") \
  FIELD(Whole, reuse_available, kCounter, kShow, \
        "reused after the backend had forgotten the tuple") \
  FIELD(Whole, reuse_rested, kCounter, kShow, "reused after TIME_WAIT was over") \
  FIELD(Whole, reuse_natural, kCounter, kShow, "reused in TIME_WAIT by a SYN that went as it was") \
  FIELD(Whole, reuse_rebased, kCounter, kShow, \
        "reused in TIME_WAIT by a SYN that needed an offset") \
  FIELD(Whole, tsval_adjusts, kCounter, kShow, "of these, with an offset on timestamps") \
  FIELD(Whole, sequence_adjusts, kCounter, kShow, "of these, with an offset on sequence numbers") \
  FIELD(Whole, heals, kCounter, kShow, "stale answers met on its ports") \
  FIELD(Whole, exhausted, kCounter, kShow, "SYNs for which there was no port") \
  FIELD(Whole, avoided, kCounter, kShow, \
        "SYNs that could not go as they were on the port that rested longest")
SLUICE_ROW(PoolRow, SLUICE_POOL_FIELDS)

// Of the status's `pools`: a [[local_pool]] towards one backend, all workers together.
#define SLUICE_POOL_SUM_FIELDS(FIELD) \
  FIELD(String, backend, kName, kShow, "address and port") \
  FIELD(String, local_pool, kName, kShow, "the [[local_pool]]") \
  FIELD(String, protocol, kName, kShow, "of its flows: `tcp` or `udp`") \
  FIELD(String, services, kText, kShow, "services that take its ports") \
  FIELD(Whole, pools, kFigure, kShow, "rows of `show pools` that are summed up") \
  FIELD(Flag, waits, kFigure, kShow, "whether ports wait TIME_WAIT out") \
  FIELD(Whole, ports, kFigure, kShow, "ports there are") \
  FIELD(Trended, unavailable, kFigure, kShow, "ports that cannot be taken") \
  FIELD(Whole, available, kFigure, kShow, "ports whose tuple the backend has forgotten") \
  FIELD(Whole, time_wait, kFigure, kShow, "ports whose tuple the backend was left holding") \
  FIELD(Whole, in_use, kFigure, kShow, "ports of flows that are not over") \
  FIELD(Number, fullest_percent, kFigure, kShow, \
        "of the fullest address and worker, what cannot be taken") \
  FIELD(String, fullest_local, kText, kShow, "that address") \
  FIELD(Whole, fullest_worker, kFigure, kShow, "that worker") \
  FIELD(Watched, taken, kFigure, kShow, "ports taken") \
  FIELD(Watched, fresh, kFigure, kShow, "of these, never used before") \
  FIELD(Watched, reuse_available, kFigure, kShow, \
        "reused after the backend had forgotten the tuple") \
  FIELD(Watched, reuse_rested, kFigure, kShow, "reused after TIME_WAIT was over") \
  FIELD(Watched, reuse_natural, kFigure, kShow, \
        "reused in TIME_WAIT by a SYN that went as it was") \
  FIELD(Watched, reuse_rebased, kFigure, kShow, \
        "reused in TIME_WAIT by a SYN that needed an offset") \
  FIELD(Watched, tsval_adjusts, kFigure, kShow, "of these, with an offset on timestamps") \
  FIELD(Watched, sequence_adjusts, kFigure, kShow, "of these, with an offset on sequence numbers") \
  FIELD(Watched, heals, kFigure, kShow, "stale answers met on its ports") \
  FIELD(Watched, exhausted, kFigure, kShow, "SYNs for which there was no port") \
  FIELD(Watched, avoided, kFigure, kShow, \
        "SYNs that could not go as they were on the port that rested longest") \
  FIELD(OptNumber, ends_in_s, kFigure, kShow, \
        "until no port is left, by the last minute; null if ever") \
  FIELD(Flag, ends_soon, kFigure, kShow, "so near that somebody should look") \
  FIELD(Severity, severity, kGauge, kStatus, "how bad it is: `ok`, `warning`, `critical`") \
  FIELD(String, condition, kText, kStatus, "why, in a word") \
  FIELD(String, remedy, kText, kStatus, "what to do about it")
SLUICE_ROW(PoolSumRow, SLUICE_POOL_SUM_FIELDS)

// Of `show workers` and the status's `workers`.
#define SLUICE_WORKER_FIELDS(FIELD) \
  FIELD(Whole, lcore, kName, kShow, "its CPU") \
  FIELD(String, steering, kText, kShow, "how packets find their worker") \
  FIELD(String, queues, kText, kShow, "its queues of each interface") \
  FIELD(Watched, handed_off, kFigure, kShow, "packets given to the worker that they belong to") \
  FIELD(Whole, taken_over, kFigure, kShow, "packets that others gave") \
  FIELD(Watched, packets_in, kCounter, kShow, "frames received") \
  FIELD(Watched, packets_out, kCounter, kShow, "frames sent") \
  FIELD(Watched, bytes_in, kCounter, kShow, "bytes of these frames") \
  FIELD(Watched, bytes_out, kCounter, kShow, "bytes of these frames") \
  FIELD(Watched, drops, kFigure, kShow, "packets dropped, for all reasons") \
  FIELD(Whole, flows, kGauge, kShow, "flow entries in use, those of closed flows included") \
  FIELD(Trended, flows_open, kFigure, kShow, "flows that are not over") \
  FIELD(Whole, flows_max, kGauge, kShow, "flow entries there are") \
  FIELD(Whole, half_open, kGauge, kShow, "handshakes that are not finished, and UDP flows alike") \
  FIELD(Whole, why_kept, kGauge, kShow, "handshakes that `why` can tell of") \
  FIELD(Whole, clients, kGauge, kShow, "clients of guarded services that have an entry") \
  FIELD(Whole, clients_max, kGauge, kShow, "entries there are") \
  FIELD(Whole, clients_evicted, kCounter, kShow, \
        "clients without an established flow that made way for others") \
  FIELD(Whole, buffers_used, kGauge, kShow, "packet buffers in use") \
  FIELD(Whole, buffers, kGauge, kShow, "packet buffers there are") \
  FIELD(Number, busy_percent, kGauge, kShow, \
        "of the last second, in iterations that found packets") \
  FIELD(Number, waited_percent, kFigure, kShow, \
        "of the time it could have run: others had its CPU") \
  FIELD(Whole, polls, kCounter, kShow, "bursts asked for") \
  FIELD(Buckets, burst_counts, kFigure, kShow, "bursts that brought packets, by size") \
  FIELD(Whole, burst_packets, kFigure, kShow, "packets of these bursts") \
  FIELD(NamedCounts, flows_by_state, kGauge, kShow, "flow entries by state") \
  FIELD(String, cut_off_from, kText, kStatus, "a neighbour that answers other workers alone") \
  FIELD(OptNumber, ends_in_s, kFigure, kStatus, \
        "until no entry is left, by the last minute; null if ever") \
  FIELD(Flag, ends_soon, kFigure, kStatus, "so near that somebody should look") \
  FIELD(Severity, severity, kGauge, kStatus, "how bad it is: `ok`, `warning`, `critical`") \
  FIELD(String, condition, kText, kStatus, "why, in a word") \
  FIELD(String, remedy, kText, kStatus, "what to do about it")
SLUICE_ROW(WorkerRow, SLUICE_WORKER_FIELDS)

// Of `show interfaces`: what the device counts.
#define SLUICE_INTERFACE_FIELDS(FIELD) \
  FIELD(String, name, kName, kShow, "as configured") \
  FIELD(String, device, kText, kShow, "as configured") \
  FIELD(String, vlan, kText, kShow, "its VLAN on that device, the outer one first: `300.30`") \
  FIELD(String, unmatched, kText, kShow, "what becomes of packets for others: as configured") \
  FIELD(String, link, kText, kShow, "`up` or `down`") \
  FIELD(Flag, link_up, kGauge, kShow, "the same as a flag") \
  FIELD(String, link_reason, kText, kShow, "why the link is down") \
  FIELD(Whole, speed_mbps, kFigure, kShow, "0 where it is unknown") \
  FIELD(Whole, packets_in, kCounter, kShow, "packets received") \
  FIELD(Whole, packets_out, kCounter, kShow, "packets sent") \
  FIELD(Whole, bytes_in, kCounter, kShow, "bytes received") \
  FIELD(Whole, bytes_out, kCounter, kShow, "bytes sent") \
  FIELD(Whole, missed, kCounter, kShow, "packets that found no receive descriptor") \
  FIELD(Whole, rx_errors, kCounter, kShow, "frames received with errors") \
  FIELD(Whole, tx_errors, kCounter, kShow, "frames not sent for an error") \
  FIELD(Whole, no_buffer, kCounter, kShow, "receptions that found no packet buffer") \
  FIELD(NamedCounts, xstats, kCounter, kShow, "the driver's own counters, by its names")
SLUICE_ROW(InterfaceRow, SLUICE_INTERFACE_FIELDS)

// Of the status's `interfaces`: whether packets get through.
#define SLUICE_LINK_FIELDS(FIELD) \
  FIELD(String, name, kName, kShow, "as configured") \
  FIELD(String, device, kText, kShow, "as configured") \
  FIELD(Flag, link_up, kFigure, kShow, "whether the link is up") \
  FIELD(String, link_reason, kText, kShow, "why the link is down") \
  FIELD(String, link_remedy, kText, kShow, "what brings it up") \
  FIELD(Whole, unsent_recent, kFigure, kShow, \
        "packets that the device took lately and has not sent") \
  FIELD(Number, unsent_percent, kFigure, kShow, "the same of all that it took") \
  FIELD(Watched, received, kFigure, kShow, "packets received, as the device counts them") \
  FIELD(Watched, missed, kFigure, kShow, "packets that found no receive descriptor") \
  FIELD(Watched, rx_errors, kFigure, kShow, "frames received with errors") \
  FIELD(Watched, no_buffer, kFigure, kShow, "receptions that found no packet buffer") \
  FIELD(Whole, mtu, kFigure, kShow, "the largest packet that Sluice takes and sends there") \
  FIELD(String, multicast, kText, kShow, \
        "what the device takes of it: `all`, `groups` (routers', LLDP's and ours) or why none") \
  FIELD(String, multicast_lacking, kText, kShow, "what is wanted there and needs it") \
  FIELD(Severity, severity, kGauge, kStatus, "how bad it is: `ok`, `warning`, `critical`") \
  FIELD(String, condition, kText, kStatus, "why, in a word") \
  FIELD(String, remedy, kText, kStatus, "what to do about it")
SLUICE_ROW(LinkRow, SLUICE_LINK_FIELDS)

// Of `show program` and the status's `program`.
#define SLUICE_PROGRAM_FIELDS(FIELD) \
  FIELD(String, version, kName, kShow, "of sluice") \
  FIELD(String, dpdk, kText, kShow, "its version") \
  FIELD(Whole, pid, kFigure, kShow, "the process") \
  FIELD(Number, start_s, kGauge, kShow, "Unix time of the start") \
  FIELD(Number, uptime_ms, kFigure, kShow, "since the start") \
  FIELD(Whole, services, kFigure, kShow, "services configured") \
  FIELD(String, flow_index, kText, kShow, "what finds a connection: `rte_hash` or `compact`") \
  FIELD(Whole, overrides, kGauge, kShow, "backends with an override over the file") \
  FIELD(Flag, draining, kGauge, kShow, "whether the whole balancer drains") \
  FIELD(Whole, reloads, kCounter, kShow, "reloads that succeeded") \
  FIELD(Whole, reloads_failed, kCounter, kShow, "reloads that were refused") \
  FIELD(Flag, last_reload_succeeded, kGauge, kShow, "the last one did") \
  FIELD(String, last_reload_error, kText, kShow, "what was wrong, where it did not") \
  FIELD(Number, last_reload_success_s, kGauge, kShow, "Unix time of the configuration in force") \
  FIELD(Whole, loop_iterations_per_s, kFigure, kShow, "of the control thread's loop") \
  FIELD(Number, loop_busy_percent, kFigure, kShow, "of the last second, in which it was awake") \
  FIELD(String, loop_busiest, kText, kShow, "with what, most of it") \
  FIELD(Flag, loop_spins, kFigure, kShow, "it is woken without end") \
  FIELD(Severity, severity, kFigure, kStatus, "how bad it is: `ok`, `warning`, `critical`") \
  FIELD(String, condition, kText, kStatus, "why, in a word") \
  FIELD(String, remedy, kText, kStatus, "what to do about it")
SLUICE_ROW(ProgramRow, SLUICE_PROGRAM_FIELDS)

// Of `show counters`, and of the status's `drops` and `events`.
#define SLUICE_COUNTER_FIELDS(FIELD) \
  FIELD(String, name, kName, kShow, "the drop's reason, the event's name") \
  FIELD(String, kind, kText, kShow, "`drop` or `event`") \
  FIELD(Watched, value, kCounter, kShow, "since the start") \
  FIELD(String, help, kText, kShow, "what it counts") \
  FIELD(OptString, alias_of, kText, kShow, "of an old name: the new one") \
  FIELD(Severity, severity, kFigure, kStatus, "how bad it is: `ok`, `warning`, `critical`") \
  FIELD(String, remedy, kText, kStatus, "what to do about it")
SLUICE_ROW(CounterRow, SLUICE_COUNTER_FIELDS)

// Of `show refusals` and the status's `refusals`: sources that guards refuse most.
#define SLUICE_REFUSAL_FIELDS(FIELD) \
  FIELD(String, reason, kName, kShow, "the drop's") \
  FIELD(String, source, kName, kShow, "an address") \
  FIELD(Whole, count, kFigure, kShow, "how often it was refused, at most") \
  FIELD(Whole, at_least, kFigure, kShow, "and at least") \
  FIELD(Whole, last_s, kFigure, kShow, "how long ago the last time was")
SLUICE_ROW(RefusalRow, SLUICE_REFUSAL_FIELDS)

// Of `show drain` and the status's `drain`.
#define SLUICE_DRAIN_FIELDS(FIELD) \
  FIELD(String, state, kText, kShow, "`off`, `draining` or `drained`") \
  FIELD(Whole, remaining, kFigure, kShow, "flows that are not over") \
  FIELD(OptString, syns, kText, kShow, "what new SYNs get: `reset` or `dropped`") \
  FIELD(OptWhole, for_ms, kFigure, kShow, "since when") \
  FIELD(OptWhole, refused, kFigure, kShow, "SYNs refused by this drain") \
  FIELD(Flag, ended, kFigure, kShow, "nothing is left, or the time is up") \
  FIELD(Flag, exit, kFigure, kShow, "sluice stops then")
SLUICE_ROW(DrainRow, SLUICE_DRAIN_FIELDS)

// The status's `totals`: what the page draws first.
#define SLUICE_TOTALS_FIELDS(FIELD) \
  FIELD(Number, connections_per_s, kFigure, kShow, "flows opened, of all services") \
  FIELD(Number, refused_per_s, kFigure, kShow, "SYNs refused, of all services") \
  FIELD(Number, active, kFigure, kShow, "flows that are not over") \
  FIELD(Number, bits_in_per_s, kFigure, kShow, "to backends") \
  FIELD(Number, bits_out_per_s, kFigure, kShow, "from backends") \
  FIELD(Number, packets_per_s, kFigure, kShow, "frames received") \
  FIELD(Number, drops_per_s, kFigure, kShow, "packets dropped") \
  FIELD(Number, flows, kFigure, kShow, "flow entries in use") \
  FIELD(Number, flows_max, kFigure, kShow, "flow entries there are") \
  FIELD(Number, half_open, kFigure, kShow, "handshakes that are not finished") \
  FIELD(Number, why_kept, kFigure, kShow, "handshakes that `why` can tell of") \
  FIELD(Number, busy_percent, kFigure, kShow, "of the busiest worker") \
  FIELD(Number, pool_percent, kFigure, kShow, "of the fullest pool, what cannot be taken")
SLUICE_ROW(TotalsRow, SLUICE_TOTALS_FIELDS)

// Of `show stages`.
#define SLUICE_STAGE_FIELDS(FIELD) \
  FIELD(Whole, worker, kName, kShow, "counted from 0") \
  FIELD(String, stage, kName, kShow, "what the worker does with a burst, in this order") \
  FIELD(Whole, packets, kFigure, kShow, "of the bursts that were timed") \
  FIELD(OptNumber, clocks, kFigure, kShow, "of the time stamp counter, a packet; null without one")
SLUICE_ROW(StageRow, SLUICE_STAGE_FIELDS)

// Of `show flows`.
#define SLUICE_FLOW_FIELDS(FIELD) \
  FIELD(String, protocol, kName, kShow, "`tcp` or `udp`") \
  FIELD(String, client, kName, kShow, "address and port") \
  FIELD(String, vip, kText, kShow, "the service's address and port") \
  FIELD(String, local, kText, kShow, "our address and port towards the backend") \
  FIELD(String, backend, kText, kShow, "address and port") \
  FIELD(String, state, kText, kShow, "of the flow") \
  FIELD(Whole, age_ms, kFigure, kShow, "since its SYN or first datagram") \
  FIELD(Whole, idle_ms, kFigure, kShow, "since the last packet that was forwarded") \
  FIELD(Signed, ts_offset, kFigure, kShow, "added to the client's timestamps") \
  FIELD(Signed, seq_offset, kFigure, kShow, "added to the client's sequence numbers") \
  FIELD(Whole, bytes_in, kFigure, kShow, "payload to the backend") \
  FIELD(Whole, bytes_out, kFigure, kShow, "payload from the backend")
SLUICE_ROW(FlowRow, SLUICE_FLOW_FIELDS)

// clang-format on

}  // namespace sluice::control
