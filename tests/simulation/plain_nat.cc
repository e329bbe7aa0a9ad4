// SPDX-License-Identifier: BSD-3-Clause
// The plain NAT: what every SNAT balancer does today.
#include <unordered_map>
#include <vector>

#include "tests/simulation/network.h"
#include "tests/simulation/rng.h"
#include "tests/simulation/stand_ins.h"

namespace sluice::sim {
namespace {

constexpr TimeUs kIdleUs = 40 * kSecond;

class PlainNat final : public Balancer {
 public:
  PlainNat(const Site& site, Wire& wire, uint64_t seed) : site_(site), wire_(wire), rng_(seed) {}

  void receive(Side side, std::span<const FrameView> burst, TimeUs now) override {
    for (const FrameView frame : burst) {
      Segment s;
      if (decode(frame, s) != Decoded::ok) continue;
      side == Side::client ? inbound(s, now) : outbound(s, now);
    }
  }

  void restart(TimeUs) override {
    flows_.clear();
    by_client_.clear();
    by_tuple_.clear();
  }

  std::string description() const override { return "plain NAT"; }

 private:
  struct Flow {
    Address client, local, backend;
    TimeUs touched_at = 0;
    bool fin[2] = {};
    bool over = false;
  };

  static uint64_t key(const Address& a, uint32_t peer_ip) {
    return uint64_t{peer_ip & 0xffff} << 48 | uint64_t{a.ip & 0xffffffff} << 16 | a.port;
  }

  void inbound(const Segment& s, TimeUs now) {
    const auto found = by_client_.find(key(s.source, 0));
    Flow* flow = found == by_client_.end() ? nullptr : &flows_[found->second];
    if (s.is_syn() && (flow == nullptr || flow->over)) flow = take(s.source, now);
    if (flow == nullptr) return;
    forward(*flow, s, Side::backend, now);
  }

  void outbound(const Segment& s, TimeUs now) {
    const auto found = by_tuple_.find(key(s.destination, s.source.ip));
    if (found != by_tuple_.end()) forward(flows_[found->second], s, Side::client, now);
  }

  void forward(Flow& flow, Segment s, Side to, TimeUs now) {
    s.source = to == Side::backend ? flow.local : site_.vip;
    s.destination = to == Side::backend ? flow.backend : flow.client;
    flow.touched_at = now;
    if (s.is(kFin)) flow.fin[static_cast<int>(to)] = true;
    if (s.is(kRst)) flow.over = true;
    if (flow.fin[0] && flow.fin[1] && s.length() == 0) flow.over = true;
    uint8_t frame[kFrameSizeMax];
    write_balancer_mac(frame + 6, to);
    write_mac(frame, s.destination.ip);
    frame[12] = 8, frame[13] = 0;
    wire_.emit(to, {frame, encode(s, frame)});
  }

  Flow* take(const Address& client, TimeUs now) {
    for (unsigned tries = 0; tries < 4096; tries++) {
      const Address backend =
          site_.backends[rng_.below(static_cast<uint32_t>(site_.backends.size()))];
      const Address local{
          site_.local_ips[rng_.below(static_cast<uint32_t>(site_.local_ips.size()))],
          static_cast<uint16_t>(rng_.between(site_.port_first, site_.port_last))};
      const auto [entry, fresh] =
          by_tuple_.try_emplace(key(local, backend.ip), static_cast<uint32_t>(flows_.size()));
      if (fresh) flows_.emplace_back();
      Flow& flow = flows_[entry->second];
      if (!fresh && !flow.over && now - flow.touched_at < kIdleUs) continue;
      flow = {client, local, backend, now, {}, false};
      by_client_[key(client, 0)] = entry->second;
      return &flow;
    }
    return nullptr;
  }

  const Site& site_;
  Wire& wire_;
  Rng rng_;
  std::vector<Flow> flows_;
  std::unordered_map<uint64_t, uint32_t> by_client_;
  std::unordered_map<uint64_t, uint32_t> by_tuple_;
};

}  // namespace

std::unique_ptr<Balancer> make_plain_nat(const Site& site, Wire& wire, uint64_t seed) {
  return std::make_unique<PlainNat>(site, wire, seed);
}

}  // namespace sluice::sim
