// SPDX-License-Identifier: BSD-3-Clause
// The direct path: every backend listens on the VIP, and frames pass as they are.
#include <cstring>

#include "tests/simulation/network.h"
#include "tests/simulation/rng.h"
#include "tests/simulation/stand_ins.h"

namespace sluice::sim {
namespace {

class DirectPath final : public Balancer {
 public:
  DirectPath(const Site& site, Wire& wire) : site_(site), wire_(wire) {}

  void receive(Side side, std::span<const FrameView> burst, TimeUs) override {
    for (const FrameView frame : burst) pass(side, frame);
  }

  std::string description() const override { return "direct path"; }

 private:
  void pass(Side side, FrameView frame) {
    Segment s;
    if (decode(frame, s) != Decoded::ok) return;
    uint8_t copy[kFrameSizeMax];
    std::memcpy(copy, frame.data(), frame.size());
    const uint64_t hash = mix(uint64_t{s.source.ip} << 16 | s.source.port);
    write_mac(copy, side == Side::client ? site_.backends[hash % site_.backends.size()].ip
                                         : s.destination.ip);
    wire_.emit(side == Side::client ? Side::backend : Side::client, {copy, frame.size()});
  }

  const Site& site_;
  Wire& wire_;
};

}  // namespace

std::unique_ptr<Balancer> make_direct_path(const Site& site, Wire& wire) {
  return std::make_unique<DirectPath>(site, wire);
}

}  // namespace sluice::sim
