// SPDX-License-Identifier: BSD-3-Clause
// ARP or neighbour discovery out by one queue, and a look at all that comes in.
#include "dataplane/port/queue_probe.h"

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <algorithm>

#include "dataplane/net/arp.h"
#include "dataplane/net/nd.h"
#include "dataplane/net/parse.h"
#include "dataplane/port/tx.h"

namespace sluice {
namespace {

constexpr size_t kTargetsMax = 4;
constexpr int kTries = 3;

void ask(const QueueProbe& probe, uint16_t queue, const net::IpAddress& target) {
  rte_mbuf* packet = rte_pktmbuf_alloc(probe.packets);
  if (packet == nullptr) return;
  const uint16_t room = target.is_v4() ? net::kArpFrameLength : net::kNdFrameLengthMax;
  auto* bytes = reinterpret_cast<uint8_t*>(rte_pktmbuf_append(packet, room));
  if (target.is_v4()) {
    net::arp_request({bytes, room}, probe.mac, probe.source.v4(), target.v4());
  } else {
    net::write_solicitation({bytes, room}, probe.mac, probe.source.v6(), target.v6());
  }
  if (rte_eth_tx_burst(probe.port, queue, &packet, 1) == 0) rte_pktmbuf_free(packet);
}

bool is_echo(const QueueProbe& probe, const net::ArpHeader& arp) {
  if (arp.sender_mac == probe.mac) return probe.source == net::IpAddress(arp.sender_ip);
  return probe.source == net::IpAddress(arp.target_ip) &&
         std::ranges::count(probe.targets, net::IpAddress(arp.sender_ip)) > 0;
}

bool is_echo(const QueueProbe& probe, const net::Packet& packet) {
  const auto message =
      net::read_nd({reinterpret_cast<const uint8_t*>(packet.icmp), packet.l4_length},
                   packet.hop_limit(), packet.ip6->source, packet.ip6->destination);
  if (!message) return false;
  if (message->type == net::NdType::kSolicitation) return packet.source_ip() == probe.source;
  return message->type == net::NdType::kAdvertisement &&
         std::ranges::count(probe.targets, net::IpAddress(message->target)) > 0;
}

/// Our own request come round, or an answer to it.
bool is_echo(const QueueProbe& probe, rte_mbuf* buffer) {
  net::Packet packet{};
  net::parse({rte_pktmbuf_mtod(buffer, uint8_t*), buffer->data_len}, packet);
  if (packet.kind == net::Packet::Kind::kArp) return is_echo(probe, *packet.arp);
  const bool is_icmp6 = packet.kind == net::Packet::Kind::kIcmp && packet.is_v6;
  return is_icmp6 && is_echo(probe, packet);
}

/// Empties the receive queues; whether there was an echo among it.
bool receive(const QueueProbe& probe) {
  bool found = false;
  rte_mbuf* buffers[kBurstMax];
  for (uint16_t queue = 0; queue < probe.rx_queue_count; ++queue) {
    const uint16_t count = rte_eth_rx_burst(probe.port, queue, buffers, kBurstMax);
    for (uint16_t i = 0; i < count; ++i) found |= is_echo(probe, buffers[i]);
    rte_pktmbuf_free_bulk(buffers, count);
  }
  return found;
}

bool brings_an_echo(const QueueProbe& probe, uint16_t queue, std::chrono::milliseconds wait) {
  using Clock = std::chrono::steady_clock;
  receive(probe);  // what is late of another queue's
  for (int i = 0; i < kTries; ++i) {
    for (size_t t = 0; t < std::min(kTargetsMax, probe.targets.size()); ++t) {
      ask(probe, queue, probe.targets[t]);
    }
    const auto until = Clock::now() + wait;
    do {
      if (receive(probe)) return true;
    } while (Clock::now() < until);
  }
  return false;
}

}  // namespace

uint16_t count_sending_queues(const QueueProbe& probe, std::chrono::milliseconds wait) {
  if (probe.targets.empty() || !brings_an_echo(probe, 0, wait)) return probe.tx_queue_count;
  uint16_t count = 1;
  while (count < probe.tx_queue_count && brings_an_echo(probe, count, wait)) ++count;
  return count;
}

}  // namespace sluice
