// SPDX-License-Identifier: BSD-3-Clause
// What the ends see of a PROXY header, and how far it has come.
#include "dataplane/stage/header_numbers.h"

#include <algorithm>

#include "dataplane/net/packet_checksum.h"
#include "dataplane/net/rewrite.h"
#include "dataplane/net/serial.h"

namespace sluice {

using Step = ProxyTrack::Step;
namespace flag = net::tcp_flag;

namespace {

// Beyond so many bytes no late segment is about the header; serial order would turn round.
constexpr uint32_t kPastBytes = 1u << 30;

}  // namespace

void take_data_off_syn(Segment& syn) {
  net::Packet& packet = syn.packet;
  net::remove_fast_open(*packet.tcp);
  if (packet.payload_length() == 0) return;
  const auto header = packet.tcp->header_length();
  const auto ip_length = static_cast<uint16_t>(packet.ip_header_length() + header);
  packet.l4_length = header;
  if (packet.is_v6) {
    packet.ip6->payload_length =
        net::be16::from_host(static_cast<uint16_t>(ip_length - sizeof(net::Ipv6Header)));
  } else {
    net::Ipv4Header& ip = *packet.ip;
    ip.total_length = net::be16::from_host(ip_length);
    ip.checksum = {0};
    ip.checksum = net::checksum_of(net::checksum_sum(&ip, ip.header_length()));
  }
  packet.tcp->checksum = {0};
  packet.tcp->checksum =
      net::checksum_of(net::pseudo_header_sum(packet, net::kProtocolTcp, header) +
                       net::checksum_sum(packet.tcp, header));
  syn.buffer->data_len = static_cast<uint16_t>(sizeof(net::EthernetHeader) + ip_length);
  syn.buffer->pkt_len = syn.buffer->data_len;
}

void hide_header(Core& core, uint32_t index, net::TcpHeader& tcp) {
  const Flow& flow = core.flows[index];
  ProxyTrack& track = core.proxy_track(index);
  const bool syn = tcp.has(flag::kSyn);
  if (track.step == Step::kDue) {
    if (!syn) return;
    const uint16_t window = tcp.window.host();
    return net::set_window(tcp, static_cast<uint16_t>(window - std::min(window, track.length)));
  }
  if (track.step == Step::kAcked &&
      flow.tcp.backend_expects() - flow.bounds.client_first > kPastBytes) {
    track.step = Step::kPast;
  }
  const bool may_show = track.step == Step::kSent || track.step == Step::kAcked;
  if (!may_show || tcp.has(flag::kRst)) return;
  net::hide_below(tcp, flow.bounds.client_first, syn ? uint8_t{0} : flow.tcp.backend_scale());
}

bool is_header_refused(const Core& core, uint32_t index) {
  const Flow& flow = core.flows[index];
  const Step step = core.proxy_track(index).step;
  return step == Step::kSent ||
         (step == Step::kAcked && flow.tcp.backend_snd_nxt() == flow.bounds.backend_first);
}

bool is_of_header(const Core& core, uint32_t index, uint32_t sequence) {
  const Step step = core.proxy_track(index).step;
  return (step == Step::kSent || step == Step::kAcked) &&
         net::serial_before(sequence, core.flows[index].bounds.client_first);
}

uint32_t header_in_flow(const Core& core, uint32_t index) {
  const ProxyTrack& track = core.proxy_track(index);
  return track.step >= Step::kSent ? track.length : 0;
}

bool is_header_pending(const Core& core, uint32_t index) {
  return core.proxy_track(index).step == Step::kSent && !is_closed(core.flows[index].state());
}

void hasten_header(Core& core, uint32_t index) {
  if (!is_header_pending(core, index)) return;
  const ProxyTrack& track = core.proxy_track(index);
  const uint32_t since = core.now32() - track.sent_ms, retry = track.retry_ms();
  core.flow_timers.set(index, core.now_ms + (since < retry ? retry - since : 0));
}

}  // namespace sluice
