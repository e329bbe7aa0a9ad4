// SPDX-License-Identifier: BSD-3-Clause
// Whether an interface has a link, and if not, why not and what to do.
#pragma once

#include <cstdint>
#include <string>

#include "control/daemon/kernel/rtnetlink.h"

namespace sluice::control {

struct LinkState {
  bool known = false;  // nobody has looked yet
  bool up = true;
  std::string reason;    // of its being down
  std::string remedy;    // where it is down
  uint32_t changes = 0;  // as the kernel counts them: a short loss shows in nothing else

  bool operator==(const LinkState&) const = default;
};

// Of a device on a kernel interface of that name.
LinkState judge_link(const KernelLink& link, const std::string& name);
// Of one that only its driver knows.
LinkState judge_link(bool up);

}  // namespace sluice::control
