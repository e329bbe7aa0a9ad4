// SPDX-License-Identifier: BSD-3-Clause
// Owners of tuples, and shares of ports.
#include "dataplane/port/steering.h"

#include <algorithm>
#include <bit>

#include "dataplane/net/folded_multiply.h"

namespace sluice {

std::string_view to_string(SteeringKind kind) {
  switch (kind) {
    case SteeringKind::kAlone:
      return "alone";
    case SteeringKind::kRss:
      return "rss";
    case SteeringKind::kRteFlow:
      return "rte_flow";
    case SteeringKind::kHandoff:
      return "handoff";
  }
  return "?";
}

uint32_t port_class_bits(uint32_t worker_count) {
  const auto bits = static_cast<uint32_t>(std::bit_width(worker_count - 1));
  // Eight classes a worker leave the fullest an eighth ahead at most.
  return std::has_single_bit(worker_count) ? bits : bits + 3;
}

Steering::Steering(SteeringKind kind, uint32_t worker_count,
                   std::vector<std::optional<RssFunction>> functions, const net::SipKey& secret)
    : kind_(worker_count == 1 ? SteeringKind::kAlone : kind),
      worker_count_(worker_count),
      secret_(secret) {
  uniform_ = std::ranges::all_of(functions, [&](const auto& f) { return f == functions.front(); });
  for (const auto& function : functions) {
    spreads_.emplace_back(function ? std::optional<Spread>(*function) : std::nullopt);
  }
}

uint32_t Steering::owner_of_client(net::Endpoint client, net::Endpoint vip,
                                   uint16_t interface) const {
  switch (kind_) {
    case SteeringKind::kAlone:
      return 0;
    case SteeringKind::kHandoff: {
      const uint64_t ips = uint64_t{client.ip.raw} << 32 | vip.ip.raw;
      const uint64_t ports = uint64_t{client.port.raw} << 16 | vip.port.raw;
      const uint64_t hash = net::folded_multiply(ips ^ secret_[0], ports ^ secret_[1]);
      return static_cast<uint32_t>((hash >> 32) * worker_count_ >> 32);
    }
    case SteeringKind::kRss:
    case SteeringKind::kRteFlow:
      break;
  }
  const auto& spread = spreads_[interface];
  return spread ? spread->queue(spread->toeplitz.hash({client.ip, vip.ip, client.port, vip.port}))
                : kReceiver;
}

std::shared_ptr<const PortShares> Steering::share_ports(net::Ipv4Address local,
                                                        net::Endpoint backend, uint16_t interface,
                                                        PortRange range) {
  const Spread* spread = kind_ == SteeringKind::kRss ? &*spreads_[interface] : nullptr;
  const uint32_t begin =
      spread == nullptr ? 0 : spread->toeplitz.hash({backend.ip, local, backend.port, {0}});
  const uint32_t entry =
      spread == nullptr ? 0 : begin & static_cast<uint32_t>(spread->reta.size() - 1);
  std::weak_ptr<const PortShares>& known =
      shares_[{spread == nullptr ? uint16_t{0} : interface, entry, range}];
  if (auto shares = known.lock()) return shares;

  std::shared_ptr<const PortShares> shares;
  // Another key than that of clients' owners, and for each set of ports another order.
  const uint64_t number = shares_.size();
  const net::Random order({net::siphash(secret_, ~number), net::siphash(secret_, ~number >> 1)});
  if (spread != nullptr) {
    shares = std::make_shared<const PortShares>(range, worker_count_, order, [&](uint16_t port) {
      return spread->queue(begin ^ spread->toeplitz.destination_port(port));
    });
  } else if (kind_ == SteeringKind::kRteFlow) {
    const uint32_t mask = (1u << port_class_bits(worker_count_)) - 1;
    shares = std::make_shared<const PortShares>(range, worker_count_, order, [&](uint16_t port) {
      return worker_of_class(port & mask, worker_count_);
    });
  } else {
    shares = deal_ports(range, worker_count_, order);
  }
  known = shares;
  return shares;
}

}  // namespace sluice
