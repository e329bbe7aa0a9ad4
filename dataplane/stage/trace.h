// SPDX-License-Identifier: BSD-3-Clause
// What becomes of single packets, stage by stage: those of one client, for as long as somebody
// asks.
//
//   worker --begin_trace(), end_trace()--> [records] --count()--> control thread
//
// The control thread makes a Trace for each worker, arms it by a call and reads it while it fills;
// another call takes it away, and only then it is freed. It is over when it is full or its time is.
// A worker asks once a burst whether there is one; that is all it costs while there is none.
//
// Stages know nothing of it: their verdict says what became of the packet, the flow before and
// after and the events that were counted meanwhile say why.
#pragma once

#include <array>
#include <atomic>
#include <bitset>
#include <cstdint>
#include <memory>
#include <optional>

#include "dataplane/net/address.h"
#include "dataplane/net/protocol.h"
#include "dataplane/net/verdict.h"
#include "dataplane/state/counters.h"
#include "dataplane/state/flow.h"
#include "dataplane/state/packet_view.h"

namespace sluice {

struct Core;
struct Segment;

/// A connection as its client sees it.
struct TraceSubject {
  net::Protocol protocol;
  net::Endpoint client, vip;
  FlowName name;  // its service is kNoId where the VIP is none
};

struct TraceFilter {
  net::Endpoint client{};                   // port 0: all of its ports
  std::optional<net::Endpoint> vip{};       // none: all services
  std::optional<net::Protocol> protocol{};  // none: either

  bool wants(const TraceSubject& subject) const {
    return subject.client.ip == client.ip &&
           (client.port.raw == 0 || subject.client.port == client.port) &&
           (!vip || subject.vip == *vip) && (!protocol || subject.protocol == *protocol);
  }
};

struct TraceRecord {
  uint64_t wall_clock_ms;
  uint64_t now_us;  // monotonic, the same for all workers
  uint16_t interface;
  net::Protocol protocol;
  bool from_client;
  bool taken_over;  // another worker received it
  PacketView in;
  std::optional<FlowView> before;  // nothing: the look-up was a miss
  std::optional<FlowView> after;   // nothing: there is none any more, or still none
  net::Verdict verdict = net::Verdict::pass();
  std::optional<PacketView> out;    // as it was sent
  std::bitset<kEventCount> events;  // those that it made count
};

class Trace {
 public:
  /// At most `count_max` packets, for at most so long.
  Trace(const TraceFilter& filter, uint32_t count_max, uint64_t duration_ms)
      : filter_(filter),
        duration_ms_(duration_ms),
        count_max_(count_max),
        records_(std::make_unique<TraceRecord[]>(count_max)) {}

  // Worker.
  void begin(uint64_t now_ms) { end_ms_ = now_ms + duration_ms_; }
  bool is_closed(uint64_t now_ms) const { return now_ms >= end_ms_ || count() == count_max_; }
  bool wants(const TraceSubject& subject) const { return filter_.wants(subject); }
  /// The record to fill; commit() shows it to the control thread.
  TraceRecord& next() { return records_[count()]; }
  void commit() { count_.store(count() + 1, std::memory_order_release); }

  // Both.
  uint32_t count() const { return count_.load(std::memory_order_acquire); }
  const TraceRecord& operator[](uint32_t i) const { return records_[i]; }

 private:
  TraceFilter filter_;
  uint64_t duration_ms_;
  uint64_t end_ms_ = 0;  // of the worker's clock
  uint32_t count_max_;
  std::unique_ptr<TraceRecord[]> records_;
  std::atomic<uint32_t> count_ = 0;
};

/// How often each Event had been counted before a packet.
using EventCounts = std::array<uint64_t, kEventCount>;

/// Before the packet is dispatched, with nothing queued in core.tx: what is sent must stay there
/// until it has been looked at.
EventCounts begin_trace(const Core& core, const Segment& segment, const TraceSubject& subject,
                        uint16_t interface, TraceRecord& record);
/// Right after, with what was sent still queued there.
void end_trace(const Core& core, const Segment& segment, const TraceSubject& subject,
               const EventCounts& before, net::Verdict verdict, TraceRecord& record);

}  // namespace sluice
