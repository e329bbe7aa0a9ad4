// SPDX-License-Identifier: BSD-3-Clause
// From what kernel or driver say to a sentence.
#include "control/daemon/kernel/link_state.h"

#include <fmt/format.h>

namespace sluice::control {
namespace {

constexpr const char* kLookAtCable = "look at the cable and the switch's port";

LinkState down(std::string reason, std::string remedy, uint32_t changes) {
  return {true, false, std::move(reason), std::move(remedy), changes};
}

}  // namespace

LinkState judge_link(const KernelLink& link, const std::string& name) {
  const uint32_t changes = link.carrier_changes;
  if (!link.exists) {
    return down(fmt::format("{} was deleted", name),
                "make it again: sluice takes it back by itself", 0);
  }
  if (!link.enabled) {
    return down(fmt::format("{} is switched off", link.name),
                fmt::format("ip link set {} up", link.name), changes);
  }
  if (!link.carrier)
    return down(fmt::format("{} has no carrier", link.name), kLookAtCable, changes);
  if (!link.running) {
    return down(fmt::format("{} is dormant", link.name),
                "something above it is not through yet (802.1X, a bond): ip -d link show", changes);
  }
  return {true, true, "", "", changes};
}

LinkState judge_link(bool up) {
  return up ? LinkState{true, true, "", "", 0} : down("no link", kLookAtCable, 0);
}

}  // namespace sluice::control
