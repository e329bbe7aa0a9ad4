// SPDX-License-Identifier: BSD-3-Clause
// Which worker a packet belongs to.
//
// A worker shares nothing with another: a flow, its port and its timers lie in one Core alone. So
// both directions of a connection have to reach it. The client's side is settled by its tuple, the
// backend's by the local port, which is chosen accordingly:
//
//   rss       the device spreads by a Toeplitz hash. The hash of a return tuple is C ^ T(port),
//             C from the two addresses and the backend's port, so the ports whose answers reach
//             worker w are those for which reta[(C ^ T(port)) mod size] is w. That depends on
//             C mod size alone: there are at most as many ways to share a range out as the RETA
//             has entries, and pools have them in common. Every port is somebody's.
//   rte_flow  the low bits of the local port name its worker; rules in the device say the same.
//   handoff   ports are dealt out in turn, and who receives an answer hands it over.
//
// The client's side is RSS's where the device's function is known, else (handoff) a hash of our
// own; with rte_flow on a device whose function is not known it is whoever receives it. Where a
// device under rss does not hash IPv6, that is dealt with as under handoff.
//
// What is decided here holds for every packet, whatever the devices really do: one that reaches
// another worker is handed off (dataplane/port/handoff.h).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <tuple>
#include <vector>

#include "dataplane/net/siphash.h"
#include "dataplane/port/toeplitz.h"
#include "dataplane/state/port_set.h"

namespace sluice {

enum class SteeringKind : uint8_t { kAlone, kRss, kRteFlow, kHandoff };

std::string_view to_string(SteeringKind kind);

/// How a device spreads TCP over its queues. Queue q is worker q's.
struct RssFunction {
  std::vector<uint8_t> key;    // at least Toeplitz::kKeyLengthMin bytes
  std::vector<uint16_t> reta;  // queue by entry; as many entries as a power of two
  bool hashes_v6 = false;      // TCP over IPv6 too; the key is long enough then

  friend bool operator==(const RssFunction&, const RssFunction&) = default;
};

/// How many low bits of a local port rte_flow rules look at: enough to deal the classes evenly.
uint32_t port_class_bits(uint32_t worker_count);
/// The worker of a class of ports, of 2^port_class_bits().
constexpr uint32_t worker_of_class(uint32_t port_class, uint32_t worker_count) {
  return port_class % worker_count;
}

class Steering {
 public:
  static constexpr uint32_t kReceiver = UINT32_MAX;  // whoever receives it

  /// Everything is worker 0's.
  Steering() = default;
  /// `functions`, by interface, are those that are known; all of them for kRss. `secret` keeps
  /// clients from choosing their worker where the hash is ours.
  Steering(SteeringKind kind, uint32_t worker_count,
           std::vector<std::optional<RssFunction>> functions, const net::SipKey& secret);

  SteeringKind kind() const { return kind_; }
  uint32_t worker_count() const { return worker_count_; }
  /// Whether it does not matter on which interface a client's packet comes in.
  bool is_uniform() const { return uniform_; }

  /// Who serves a client's connection, as seen on the interface towards the client.
  uint32_t owner_of_client(const net::Endpoint& client, const net::Endpoint& vip,
                           uint16_t interface) const;

  /// Who puts a datagram together: the same for all of its fragments, which have no ports.
  uint32_t owner_of_fragment(const net::IpAddress& source, const net::IpAddress& destination,
                             net::be32 id) const;

  /// Control thread: how the ports of a pool are shared out, for a backend behind `interface`.
  std::shared_ptr<const PortShares> share_ports(const net::IpAddress& local,
                                                const net::Endpoint& backend, uint16_t interface,
                                                PortRange range);

 private:
  struct Spread {
    explicit Spread(const RssFunction& rss);
    uint32_t queue(uint32_t hash) const { return reta[hash & (reta.size() - 1)]; }
    bool has(const net::IpAddress& ip) const { return ip.is_v4() || v6 != nullptr; }
    uint32_t hash(const net::Endpoint& from, const net::Endpoint& to) const;
    /// What a destination port contributes to a hash of its family.
    uint32_t destination_port(bool is_v4, uint16_t port) const {
      return is_v4 ? v4.destination_port(port) : v6->destination_port(port);
    }
    Toeplitz<net::Ipv4Address> v4;
    std::shared_ptr<const Toeplitz<net::Ipv6Address>> v6;  // nullptr: the device does not hash it
    std::vector<uint16_t> reta;
  };
  uint32_t hashed_owner(const net::IpAddress& from, const net::IpAddress& to, uint64_t rest) const;
  // Interface, family, entry of its RETA for port 0, range.
  using ShareKey = std::tuple<uint16_t, net::Family, uint32_t, PortRange>;

  SteeringKind kind_ = SteeringKind::kAlone;
  uint32_t worker_count_ = 1;
  bool uniform_ = true;
  std::vector<std::optional<Spread>> spreads_;  // by interface
  net::SipKey secret_{};
  std::map<ShareKey, std::weak_ptr<const PortShares>> shares_;
};

}  // namespace sluice
