// SPDX-License-Identifier: BSD-3-Clause
// From kept bytes to a frame, and out.
#include "dataplane/stage/made_syn.h"

#include <cstring>

#include "dataplane/net/rewrite.h"
#include "dataplane/net/segment.h"
#include "dataplane/stage/translate_across.h"

namespace sluice {

bool copy_syn(Core& core, const Flow& flow, Segment& syn) {
  const std::span<const uint8_t> kept = core.syns.at(flow.syn_slot);
  const auto length = static_cast<uint16_t>(sizeof(net::EthernetHeader) + kept.size());
  syn.buffer = core.tx.allocate(length);
  if (syn.buffer == nullptr) return false;
  auto* frame = rte_pktmbuf_mtod(syn.buffer, uint8_t*);
  std::memcpy(frame + sizeof(net::EthernetHeader), kept.data(), kept.size());
  net::finish_own_segment(frame, static_cast<uint16_t>(kept.size()));
  syn.packet = net::view_own_segment(frame);
  return true;
}

void send_made_syn(Core& core, uint32_t index, Segment& syn) {
  Flow& flow = core.flows[index];
  if (syn.packet.is_v6 || !core.pool(flow).is_v4) {
    if (!translate_across(core, flow, syn, Direction::kInbound)) {
      return core.tx.drop(syn.buffer, net::DropReason::mbuf_exhausted);
    }
  } else {
    net::translate(syn.packet, core.to_backend4(flow));
  }
  core.send(syn.buffer, core.backend_address(flow).ip, core.backend(flow).next_hop);
}

}  // namespace sluice
