// SPDX-License-Identifier: BSD-3-Clause
// When cookies are due, and what they may promise.
#include "dataplane/stage/cookie_state.h"

#include <algorithm>
#include <cstring>

#include "dataplane/net/tcp_options.h"
#include "dataplane/stage/mss_clamp.h"

namespace sluice {

namespace flag = net::tcp_flag;

namespace {

constexpr uint32_t kFloodMs = 2'000;  // cookies go on for so long after the flood

}  // namespace

bool answers_by_cookie(const Core& core, const ServiceView& service) {
  const CookieState& state = core.registry.services[service.id]->cookies;
  if (!state.is_known || core.snapshot->draining) return false;
  return service.syn_cookies == SynCookieMode::kAlways ||
         (state.any_flood && core.now32() - state.flood_ms < kFloodMs);
}

void note_half_open(Core& core, const Flow& flow) {
  CookieState& state = core.service(flow).cookies;
  state.flood_ms = core.now32();
  state.any_flood = true;
}

void learn_offer(Core& core, const Flow& flow, const net::TcpHeader& syn_ack) {
  CookieState& state = core.service(flow).cookies;
  if (flow.syn_slot == SynStore::kNone) return;
  const auto kept = core.syns.at(flow.syn_slot);
  const bool v6 = kept[0] >> 4 == 6;
  const size_t network = v6 ? sizeof(net::Ipv6Header) : (kept[0] & 15u) * 4;
  const auto& syn = *reinterpret_cast<const net::TcpHeader*>(kept.data() + network);
  const net::TcpOptions asked = net::parse_tcp_options(syn), said = net::parse_tcp_options(syn_ack);
  // What was not asked for is not said.
  if (!asked.has_timestamps() || !asked.has_window_scale || !asked.sack_permitted) return;
  state.timestamps = said.has_timestamps();
  state.sack = said.sack_permitted;
  state.ecn =
      (syn.flags & (flag::kEce | flag::kCwr)) == 0 ? state.ecn : (syn_ack.flags & flag::kEce) != 0;
  state.mss = 536;
  if (said.mss_offset != 0) {
    net::be16 mss;
    std::memcpy(&mss, reinterpret_cast<const uint8_t*>(&syn_ack) + said.mss_offset, sizeof mss);
    state.mss = std::min(mss.host(), mss_limit(core, flow));
  }
  state.learned_ms = core.now32();
  if (state.is_known) return;
  // For good: clients that were told so go on by it.
  state.has_window_scale = said.has_window_scale;
  state.told_scale = said.window_scale;
  state.is_known = true;
}

}  // namespace sluice
