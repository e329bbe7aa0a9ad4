// SPDX-License-Identifier: BSD-3-Clause
// A check by a datagram of the operator's: the backend answers, with what is expected if anything
// is.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "control/daemon/health/datagram_probe.h"

namespace sluice::control {

class UdpProbe : public DatagramProbe {
 public:
  using DatagramProbe::DatagramProbe;

 private:
  std::string question() override;
  std::optional<ProbeResult> judge(std::string_view answer) override;
};

}  // namespace sluice::control
