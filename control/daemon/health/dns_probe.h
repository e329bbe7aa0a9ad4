// SPDX-License-Identifier: BSD-3-Clause
// A check by a DNS query over UDP: the backend answers with the right code, and with the right
// record if one is expected.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "control/daemon/health/datagram_probe.h"

namespace sluice::control {

class DnsProbe : public DatagramProbe {
 public:
  using DatagramProbe::DatagramProbe;

 private:
  std::string question() override;
  std::optional<ProbeResult> judge(std::string_view answer) override;
  ProbeResult judge_records(std::string_view answer, bool truncated) const;

  std::string query_;
};

}  // namespace sluice::control
