// SPDX-License-Identifier: BSD-3-Clause
// One translated connection, both directions, in two cache lines.
//
// The first line is all that a segment in the middle of a connection needs. Where a flow's VIP and
// its backend's address would stand, there are the ids of its service and its path: their entries
// in the Registry are in the cache already, flows seldom are.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "dataplane/net/rewrite.h"
#include "dataplane/state/port_pool.h"
#include "dataplane/state/snapshot.h"
#include "dataplane/state/tcp_track.h"
#include "dataplane/state/timer_wheel.h"
#include "dataplane/state/udp_track.h"

namespace sluice {

/// What tells the flows of a worker apart on the clients' side: who, and to which VIP.
template <class Address>
struct FlowKeyOf;

template <>
struct FlowKeyOf<net::Ipv4Address> {
  net::Ipv4Endpoint client;
  ServiceId service;

  friend constexpr bool operator==(FlowKeyOf, FlowKeyOf) = default;
  /// Put together in a register: read back as a whole from where its parts were just written, it
  /// would have to wait for them.
  constexpr uint64_t word() const {
    return client.ip.raw | uint64_t{client.port.raw} << 32 | uint64_t{service} << 48;
  }
};

template <>
struct FlowKeyOf<net::Ipv6Address> {
  net::Ipv6Endpoint client;
  ServiceId service;
  uint32_t zero = 0;  // whole words

  friend constexpr bool operator==(const FlowKeyOf&, const FlowKeyOf&) = default;
  constexpr std::array<uint64_t, 3> words() const {
    return std::bit_cast<std::array<uint64_t, 3>>(*this);
  }
};

using FlowKey = FlowKeyOf<net::Ipv4Address>;
using FlowKey6 = FlowKeyOf<net::Ipv6Address>;
static_assert(sizeof(FlowKey) == 8 && std::has_unique_object_representations_v<FlowKey>);
static_assert(sizeof(FlowKey6) == 24 && std::has_unique_object_representations_v<FlowKey6>);

/// The key of a flow of either family, where that costs nothing that counts.
struct FlowName {
  net::Endpoint client;
  ServiceId service = kNoId;

  constexpr FlowName() = default;
  constexpr FlowName(const net::Endpoint& end, ServiceId id) : client(end), service(id) {}
  template <class Address>
  constexpr FlowName(const FlowKeyOf<Address>& key) : client(key.client), service(key.service) {}

  constexpr bool is_v4() const { return client.ip.is_v4(); }
  constexpr FlowKey v4() const { return {client.v4(), service}; }
  constexpr FlowKey6 v6() const { return {client.v6(), service}; }
  friend constexpr bool operator==(const FlowName&, const FlowName&) = default;
};

/// Where packets leave, remembered: an entry of the neighbour table and the generation it had.
struct NextHop {
  uint32_t neighbour = UINT32_MAX;
  uint32_t generation = 0;
};

/// A SYN of a flow's client that is not the flow's own and went to its backend: see passed_syn.h.
struct PassedSyn {
  uint32_t sequence;       // the client's own number
  uint32_t tsval;          // as well
  uint32_t since_ms : 23;  // when the backend was asked first, or answered last; mod 2^23
  uint32_t answered : 1;   // the latter
  uint32_t window_scale : 4;
  uint32_t has_window_scale : 1;
  uint32_t timestamps : 1;
  uint32_t rewritten : 1;  // it went with the balancer's clock
};
static_assert(sizeof(PassedSyn) == 12);
/// A flow's place among the unfinished handshakes (HalfOpen); all zero: it has none.
struct HalfOpenLinks {
  static constexpr uint32_t kNone = (1u << 24) - 1;
  enum class Rank : uint8_t { kUnlisted, kFirst, kRepeated };

  uint32_t newer : 24;
  Rank rank : 8;
  uint32_t older : 24;
  uint32_t extras : 8;  // the flow's, which finds room here: see FlowExtra

  void unlink() { newer = 0, rank = Rank::kUnlisted, older = 0; }
};
static_assert(sizeof(HalfOpenLinks) == 8);

/// What of a flow stands in further tables, by its index. A flow with any of it is `adjusted`, so
/// that no other is asked.
namespace flow_extra {
inline constexpr uint8_t kProxy = 1;    // a PROXY header, see ProxyTrack
inline constexpr uint8_t kToa = 2;      // an option with the client's address; it stands nowhere
inline constexpr uint8_t kSpliced = 4;  // it began with a SYN cookie, see Splice
}  // namespace flow_extra

struct alignas(64) Flow {
  // What every packet needs.
  FlowKey key;  // IPv6: its address is 0 here and stands beside the flow, see FlowTable
  PathId path;  // its pool and its backend
  net::be16 local_port;
  net::Deltas deltas;           // of the way in; the way out has the opposite ones
  bool live : 1;                // this entry is a flow, and whole: see kept_state.h
  bool timestamps : 1;          // the client's SYN had them (after the handshake: both have)
  bool rewrite_timestamps : 1;  // on the balancer's own clock
  bool reset_on_timeout : 1;
  bool holds_port : 1;  // the port is in use by this flow (not yet given back)
  bool closed_listed : 1;
  // Shifted, on the balancer's clock, or with extras; or open, with an answer due.
  bool adjusted : 1;
  // syn_sent: a stale answer waits to be explained by a late segment. syn_received: the SYN was
  // sent again, and nothing came back yet. Open flows: another SYN was passed on, see PassedSyn.
  bool answer_due : 1;
  uint8_t heal_attempts : 3;
  uint8_t syns : 2;     // of this client until the handshake is done, up to 3; copies do not count
  PortReuse reuse : 3;  // how its port was come by
  uint32_t last_seen_ms;
  uint32_t ts_recent;  // newest TSval sent to the backend
  union {              // both begin with the FlowState
    TcpTrack tcp;
    UdpTrack udp;
  };
  NextHop to_client;
  // What its beginning and end need.
  TcpBounds bounds;
  net::SeqAdjust adjust;  // of a adjusted flow; else zero
  uint32_t opened_ms;
  TimerNode timer;
  union {
    struct {               // until the handshake is done
      uint32_t syn_slot;   // in the SynStore
      uint32_t stale_ack;  // syn_sent: acknowledgement of the stale answer that was met last
      uint32_t healed_ms;  // and when
    };
    PassedSyn passed;  // then
    struct {
      uint32_t closed_newer;  // over: list by age, see FlowTable
      uint32_t closed_older;
    };
    uint32_t next_free;  // no flow: the next entry that is none
  };
  HalfOpenLinks half_open;

  FlowState state() const { return tcp.state(); }
  bool has_proxy_header() const { return (half_open.extras & flow_extra::kProxy) != 0; }
  bool has_toa() const { return (half_open.extras & flow_extra::kToa) != 0; }
  bool is_spliced() const { return (half_open.extras & flow_extra::kSpliced) != 0; }
  bool is_adjusted() const { return rewrite_timestamps || adjust.any() || half_open.extras != 0; }
  bool has_v6_client() const { return key.client.ip.raw == 0; }  // which no IPv4 client has
  bool is_udp() const { return sluice::is_udp(state()); }
  uint64_t bytes_in() const { return is_udp() ? udp.bytes_in() : tcp.client_bytes(bounds); }
  uint64_t bytes_out() const { return is_udp() ? udp.bytes_out() : tcp.backend_bytes(bounds); }
};
static_assert(sizeof(Flow) == 128 && offsetof(Flow, bounds) == 64);

}  // namespace sluice
