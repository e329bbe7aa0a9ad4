// SPDX-License-Identifier: BSD-3-Clause
// One translated connection, both directions, in two cache lines.
#pragma once

#include <cstdint>

#include "dataplane/net/rewrite.h"
#include "dataplane/state/snapshot.h"
#include "dataplane/state/tcp_state.h"

namespace sluice {

/// The tuple of a packet as it arrives; key of the flow table.
struct FlowKey {
  net::Endpoint source;
  net::Endpoint destination;

  friend constexpr bool operator==(FlowKey, FlowKey) = default;
};
static_assert(sizeof(FlowKey) == 12 && std::has_unique_object_representations_v<FlowKey>);

/// Where packets leave, remembered: an entry of the neighbour table and the generation it had.
struct NextHop {
  uint32_t neighbour = UINT32_MAX;
  uint32_t generation = 0;
};

struct alignas(64) Flow {
  // What every packet needs.
  net::Translation inbound;   // local > backend
  net::Translation outbound;  // vip > client
  TcpTrack tcp;
  uint32_t last_seen_ms;
  net::Shift shift;     // of a fitted flow; else zero
  uint32_t last_tsval;  // newest TSval sent to the backend
  NextHop to_backend;
  NextHop to_client;
  // What its beginning and end need.
  uint32_t packets_in;
  uint32_t packets_out;
  uint32_t syn_slot;  // in the SynStore, until the handshake is done
  union {
    struct {
      uint32_t stale_ack;  // syn_sent: acknowledgement of the stale answer that was met last
      uint32_t healed_ms;  // and when
    };
    struct {
      uint32_t over_newer;  // over: list by age, see FlowTable
      uint32_t over_older;
    };
  };
  ServiceId service;
  BackendId backend;
  PoolId pool;
  bool timestamps : 1;          // the client's SYN had them (after the handshake: both have)
  bool rewrite_timestamps : 1;  // on the balancer's own clock
  bool reset_on_timeout : 1;
  bool holds_port : 1;  // the port is in use by this flow (not yet given back)
  bool over_listed : 1;
  bool altered : 1;   // shifted or on the balancer's clock
  bool heal_due : 1;  // syn_sent: a stale answer waits to be explained by a late segment
  uint8_t heal_attempts : 3;

  net::Endpoint client() const { return outbound.destination; }
  net::Endpoint vip() const { return outbound.source; }
  net::Endpoint local() const { return inbound.source; }
  net::Endpoint backend_address() const { return inbound.destination; }
  /// Both directions, deltas included.
  void set_translations(net::Endpoint client, net::Endpoint vip, net::Endpoint local,
                        net::Endpoint backend_address) {
    inbound = net::make_translation(client, vip, local, backend_address);
    outbound = net::make_translation(backend_address, local, vip, client);
  }
  FlowKey inbound_key() const { return {client(), vip()}; }
  FlowKey outbound_key() const { return {backend_address(), local()}; }
};
static_assert(sizeof(Flow) == 128);

}  // namespace sluice
