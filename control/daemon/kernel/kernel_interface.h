// SPDX-License-Identifier: BSD-3-Clause
// An interface that the host's kernel has a way to: what its tap is made of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "dataplane/net/address.h"
#include "dataplane/port/kernel_rings.h"

namespace sluice::control {

struct KernelInterface {
  size_t index;  // into Config::interfaces
  net::MacAddress mac;
  uint32_t mtu;
  std::vector<KernelRings*> rings;  // one for each worker
};

}  // namespace sluice::control
