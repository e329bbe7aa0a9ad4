// SPDX-License-Identifier: BSD-3-Clause
// Room for an option, and the option.
#include "dataplane/stage/toa.h"

#include <cstring>

#include "dataplane/net/toa.h"

namespace sluice {
namespace {

/// Of the packet as it leaves.
uint32_t length_towards_backend(const Core& core, const Flow& flow, const net::Packet& packet) {
  const size_t network = core.pool(flow).is_v4 ? sizeof(net::Ipv4Header) : sizeof(net::Ipv6Header);
  return static_cast<uint32_t>(network + packet.l4_length);
}

bool fits(const Core& core, const Flow& flow, const Segment& segment, uint16_t length) {
  constexpr uint16_t kHeaderMax = 60;
  if (segment.packet.tcp->header_length() + length > kHeaderMax) return false;
  if (rte_pktmbuf_headroom(segment.buffer) < length) return false;
  const uint16_t interface = core.snapshot->interface_towards(core.backend_address(flow).ip);
  return interface != Snapshot::kNoInterface &&
         length_towards_backend(core, flow, segment.packet) + length <=
             core.snapshot->interfaces[interface].mtu;
}

/// Moves all up to the end of the fixed TCP header forward by `length` bytes.
void make_room(Segment& segment, uint16_t length) {
  net::Packet& packet = segment.packet;
  auto* const behind = reinterpret_cast<uint8_t*>(packet.tcp + 1);
  const auto* const before = rte_pktmbuf_mtod(segment.buffer, const uint8_t*);
  auto* const front = reinterpret_cast<uint8_t*>(rte_pktmbuf_prepend(segment.buffer, length));
  std::memmove(front, before, static_cast<size_t>(behind - before));
  const auto moved = [length](auto*& header) {
    header = reinterpret_cast<std::remove_reference_t<decltype(header)>>(
        reinterpret_cast<uint8_t*>(header) - length);
  };
  moved(packet.ethernet);
  moved(packet.ip);
  moved(packet.tcp);
}

bool may_still_need(const Flow& flow) {
  return !is_closed(flow.state()) && flow.tcp.backend_expects() == flow.bounds.client_first;
}

}  // namespace

void plan_toa(Core& core, uint32_t index) {
  Flow& flow = core.flows[index];
  flow.half_open.extras |= flow_extra::kToa;
  flow.adjusted = true;
}

void add_toa(Core& core, uint32_t index, Segment& segment) {
  using namespace net::tcp_flag;
  Flow& flow = core.flows[index];
  if (is_opening(flow.state()) || segment.packet.tcp->has(kSyn | kRst)) return;
  if (!may_still_need(flow)) {
    flow.half_open.extras &= static_cast<uint8_t>(~flow_extra::kToa);
    flow.adjusted = flow.answer_due || flow.is_adjusted();
    return;
  }
  const net::Endpoint client = core.client(flow);
  const uint16_t length = net::toa_length(client.ip);
  if (!fits(core, flow, segment, length)) return core.count(Event::toa_left_out);
  make_room(segment, length);
  net::put_toa(segment.packet, client);
  core.count(Event::toa_sent);
}

}  // namespace sluice
