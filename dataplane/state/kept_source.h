// SPDX-License-Identifier: BSD-3-Clause
// What one worker of a process before this one has left: see kept_state.h.
#pragma once

#include <cstdint>
#include <span>

#include "dataplane/state/clock_map.h"
#include "dataplane/state/flow.h"
#include "dataplane/state/kept_state.h"
#include "dataplane/state/port_chunks.h"
#include "dataplane/state/proxy_track.h"
#include "dataplane/state/splice.h"

namespace sluice {

struct KeptSource {
  /// What a path of that process is here; kNoPath where the configuration has it no more.
  struct Path {
    PathId path = kNoPath;
    ServiceId service = kNoId;
  };

  std::span<const Flow> flows;
  std::span<uint8_t> taken;  // by flow: 1 once a worker has adopted it; not kept, ours
  std::span<const net::Ipv6Address> clients6;  // by flow; empty: there were none
  std::span<const ClockMap> clock_maps;        // as well
  std::span<const ProxyTrack> proxy_tracks;    // as well
  std::span<const Splice> splices;             // as well
  std::span<const PortChunk> chunks;
  std::span<const KeptPath> names;  // by its path's number
  std::span<const Path> paths;      // as well
  uint32_t clock_shift_ms = 0;      // what our clock is ahead of that one's, mod 2^32

  /// The client of one of its flows.
  net::Endpoint client(size_t index) const {
    const Flow& flow = flows[index];
    if (!flow.has_v6_client()) return flow.key.client;
    return net::Ipv6Endpoint{clients6[index], flow.key.client.port};
  }
};

}  // namespace sluice
