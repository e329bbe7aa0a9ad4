// SPDX-License-Identifier: BSD-3-Clause
// The direct path: every backend listens on the VIP, and frames pass as they are.
#include <cstring>
#include <unordered_map>
#include <vector>

#include "tests/simulation/flood.h"
#include "tests/simulation/network.h"
#include "tests/simulation/rng.h"
#include "tests/simulation/stand_ins.h"

namespace sluice::sim {
namespace {

class DirectPath final : public Balancer {
 public:
  DirectPath(const Site& site, Wire& wire)
      : site_(site), wire_(wire), down_(site.backends.size()) {}

  void receive(Side side, std::span<const FrameView> burst, TimeUs) override {
    for (const FrameView frame : burst) pass(side, frame);
  }

  void set_down(size_t backend, bool down) override { down_[backend] = down; }

  std::string description() const override { return "direct path"; }

 private:
  void pass(Side side, FrameView frame) {
    Segment s;
    if (decode(frame, s) != Decoded::ok) return;
    uint8_t copy[kFrameSizeMax];
    std::memcpy(copy, frame.data(), frame.size());
    write_mac(copy, side == Side::client ? backend_of(s) : next_hop_of(s));
    wire_.emit(side == Side::client ? Side::backend : Side::client, {copy, frame.size()});
  }

  uint32_t next_hop_of(const Segment& s) const {
    return is_spoofed(s.destination) ? site_.gateway_ip : s.destination.ip;
  }

  // A client keeps the backend that its SYN was given to.
  uint32_t backend_of(const Segment& s) {
    const uint64_t client = uint64_t{s.source.ip} << 16 | s.source.port;
    const auto [entry, fresh] = backends_.try_emplace(client, mix(client) % down_.size());
    if (s.is_syn())
      while (down_[entry->second]) entry->second = (entry->second + 1) % down_.size();
    return site_.backends[entry->second].ip;
  }

  const Site& site_;
  Wire& wire_;
  std::vector<bool> down_;
  std::unordered_map<uint64_t, size_t> backends_;
};

}  // namespace

std::unique_ptr<Balancer> make_direct_path(const Site& site, Wire& wire) {
  return std::make_unique<DirectPath>(site, wire);
}

}  // namespace sluice::sim
