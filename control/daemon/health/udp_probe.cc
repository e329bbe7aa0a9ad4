// SPDX-License-Identifier: BSD-3-Clause
// The payload, and what to look for in an answer.
#include "control/daemon/health/udp_probe.h"

#include "control/common/text.h"

namespace sluice::control {

std::string UdpProbe::question() {
  return check().payload.empty() ? check().payload_hex : check().payload;
}

std::optional<ProbeResult> UdpProbe::judge(std::string_view answer) {
  const std::string& expect = check().expect.empty() ? check().expect_hex : check().expect;
  if (answer.find(expect) != answer.npos) return ProbeResult::good();
  return ProbeResult::bad("answer lacks " + printable(expect));
}

}  // namespace sluice::control
