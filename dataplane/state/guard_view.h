// SPDX-License-Identifier: BSD-3-Clause
// What a service takes of new flows, and of whom: [service.guard] as workers see it.
#pragma once

#include <cstdint>
#include <memory>

#include "dataplane/state/access_list.h"

namespace sluice {

struct GuardView {
  // 0: no limit. Of all workers together.
  uint64_t max_connections = 0;
  uint32_t max_new_per_second = 0;
  uint32_t client_connections = 0;
  uint32_t client_new_per_second = 0;
  // Which clients count as one: bits of their addresses.
  uint8_t client_bits_v4 = 32;
  uint8_t client_bits_v6 = 64;
  // A SYN that finds every backend full is dropped, so that its client tries again.
  bool waits_for_backends = false;
  std::shared_ptr<const AccessList> access = nullptr;  // nullptr: anybody

  bool limits_service() const { return max_connections != 0 || max_new_per_second != 0; }
  bool limits_clients() const { return client_connections != 0 || client_new_per_second != 0; }
};

}  // namespace sluice
