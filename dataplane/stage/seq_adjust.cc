// SPDX-License-Identifier: BSD-3-Clause
// Adjusted flows.
#include "dataplane/stage/seq_adjust.h"

#include <utility>

#include "dataplane/net/tcp_options.h"
#include "dataplane/stage/header_numbers.h"
#include "dataplane/stage/mss_clamp.h"
#include "dataplane/stage/splice_numbers.h"

namespace sluice {

using net::put_word;

uint32_t pool_clock(const Core& core, const PoolState& pool) {
  return static_cast<uint32_t>(core.wall_clock.timestamps_at(core.now_ms) +
                               pool.clock_lead_ms.value());
}

SynNumbers as_sent(const Core& core, const PoolState& pool, bool rewrite, SynNumbers syn) {
  if (rewrite && syn.timestamps) syn.tsval = pool_clock(core, pool);
  return syn;
}

void set_adjust(Core& core, uint32_t index, bool rewrite, const SynNumbers& syn,
                net::SeqAdjust adjust) {
  Flow& flow = core.flows[index];
  PoolState& pool = core.pool(flow);
  flow.rewrite_timestamps = rewrite && syn.timestamps;
  if (flow.rewrite_timestamps) {
    // What one tuple needs, the whole clock gets: later SYNs must not lie behind it.
    pool.clock_lead_ms.add(std::exchange(adjust.timestamp, 0));
    core.clock_map(index).start(syn.tsval, pool_clock(core, pool));
  }
  flow.adjust = adjust;
  flow.adjusted = flow.is_adjusted();
}

void adjust_inbound(Core& core, uint32_t index, net::TcpHeader& tcp) {
  const Flow& flow = core.flows[index];
  if (flow.rewrite_timestamps) {
    if (const uint8_t at = net::find_timestamps(tcp)) {
      const uint32_t now = pool_clock(core, core.pool(flow));
      const uint32_t client = net::tcp_word_at(tcp, at).host();
      put_word(tcp, at, core.clock_map(index).to_ours(client, now));
    }
  }
  if (flow.adjust.any()) net::adjust_inbound(tcp, flow.adjust);
  if (flow.is_spliced()) splice_inbound(core, index, tcp);
}

void adjust_outbound(Core& core, uint32_t index, net::TcpHeader& tcp) {
  const Flow& flow = core.flows[index];
  if (flow.has_proxy_header()) hide_header(core, index, tcp);
  if (flow.adjust.any()) net::adjust_outbound(tcp, flow.adjust);
  if (flow.rewrite_timestamps && tcp.has(net::tcp_flag::kAck)) {
    if (const uint8_t tsval_at = net::find_timestamps(tcp)) {
      const auto at = static_cast<uint8_t>(tsval_at + 4);
      put_word(tcp, at, core.clock_map(index).to_client(net::tcp_word_at(tcp, at).host()));
    }
  }
  if (flow.is_spliced()) splice_outbound(core, index, tcp);
}

void shape_syn(Core& core, uint32_t index, Segment& syn) {
  const Flow& flow = core.flows[index];
  if (flow.adjusted) {
    if (flow.has_proxy_header()) take_data_off_syn(syn);
    adjust_inbound(core, index, *syn.packet.tcp);
  }
  clamp_mss(core, flow, *syn.packet.tcp);
}

void adjust_passed_syn(const Core& core, const Flow& flow, bool rewrite, net::TcpHeader& tcp) {
  net::SeqAdjust adjust = flow.adjust;
  if (rewrite) {
    if (const uint8_t at = net::find_timestamps(tcp)) {
      put_word(tcp, at, pool_clock(core, core.pool(flow)));
    }
    adjust.timestamp = 0;
  }
  if (adjust.any()) net::adjust_inbound(tcp, adjust);
}

}  // namespace sluice
