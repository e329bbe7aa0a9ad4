// SPDX-License-Identifier: BSD-3-Clause
// Owners of tuples, and shares of ports.
#include "dataplane/port/steering.h"

#include <algorithm>
#include <array>
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

Steering::Spread::Spread(const RssFunction& rss) : v4(rss.key), reta(rss.reta) {
  if (rss.hashes_v6) v6 = std::make_shared<const Toeplitz<net::Ipv6Address>>(rss.key);
}

uint32_t Steering::Spread::hash(const net::Endpoint& from, const net::Endpoint& to) const {
  if (from.ip.is_v4()) return v4.hash({from.ip.v4(), to.ip.v4(), from.port, to.port});
  return v6->hash({from.ip.v6(), to.ip.v6(), from.port, to.port});
}

/// By a hash of our own.
uint32_t Steering::hashed_owner(const net::IpAddress& from, const net::IpAddress& to,
                                uint64_t rest) const {
  uint64_t ips;
  if (from.is_v4()) {
    ips = uint64_t{from.v4().raw} << 32 | to.v4().raw;
  } else {
    const auto one = std::bit_cast<std::array<uint64_t, 2>>(from.v6().bytes);
    const auto other = std::bit_cast<std::array<uint64_t, 2>>(to.v6().bytes);
    ips = net::folded_multiply(one[0] ^ secret_[0], one[1] ^ secret_[1]) ^ other[0] ^ other[1];
  }
  const uint64_t hash = net::folded_multiply(ips ^ secret_[0], rest ^ secret_[1]);
  return static_cast<uint32_t>((hash >> 32) * worker_count_ >> 32);
}

namespace {

uint64_t ports_of(const net::Endpoint& client, const net::Endpoint& vip) {
  return uint64_t{client.port.raw} << 16 | vip.port.raw;
}

}  // namespace

uint32_t Steering::owner_of_fragment(const net::IpAddress& source,
                                     const net::IpAddress& destination, net::be32 id) const {
  constexpr uint64_t kNoPorts = uint64_t{1} << 32;  // sets it apart from a pair of ports
  return kind_ == SteeringKind::kAlone ? 0 : hashed_owner(source, destination, kNoPorts | id.raw);
}

uint32_t Steering::owner_of_client(const net::Endpoint& client, const net::Endpoint& vip,
                                   uint16_t interface) const {
  if (kind_ == SteeringKind::kAlone) return 0;
  if (kind_ == SteeringKind::kHandoff)
    return hashed_owner(client.ip, vip.ip, ports_of(client, vip));
  const auto& spread = spreads_[interface];
  if (spread && spread->has(client.ip)) return spread->queue(spread->hash(client, vip));
  return kind_ == SteeringKind::kRss ? hashed_owner(client.ip, vip.ip, ports_of(client, vip))
                                     : kReceiver;
}

std::shared_ptr<const PortShares> Steering::share_ports(const net::IpAddress& local,
                                                        const net::Endpoint& backend,
                                                        uint16_t interface, PortRange range) {
  const bool by_rss = kind_ == SteeringKind::kRss && spreads_[interface]->has(local);
  const Spread* spread = by_rss ? &*spreads_[interface] : nullptr;
  const uint32_t begin = by_rss ? spread->hash(backend, {local, {0}}) : 0;
  const uint32_t entry = by_rss ? begin & static_cast<uint32_t>(spread->reta.size() - 1) : 0;
  std::weak_ptr<const PortShares>& known =
      shares_[{by_rss ? interface : uint16_t{0}, by_rss ? local.family() : net::Family::kIpv4,
               entry, range}];
  if (auto shares = known.lock()) return shares;

  std::shared_ptr<const PortShares> shares;
  // Another key than that of clients' owners, and for each set of ports another order.
  const uint64_t number = shares_.size();
  const net::Random order({net::siphash(secret_, ~number), net::siphash(secret_, ~number >> 1)});
  if (by_rss) {
    shares = std::make_shared<const PortShares>(
        range, worker_count_, order, [&, is_v4 = local.is_v4()](uint16_t port) {
          return spread->queue(begin ^ spread->destination_port(is_v4, port));
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
