// SPDX-License-Identifier: BSD-3-Clause
// Changes of link that drivers report by interrupt (RTE_ETH_EVENT_INTR_LSC), as a descriptor.
//
// DPDK's interrupt thread calls back; all that it does here is to make the descriptor readable.
#pragma once

#include <cstdint>
#include <vector>

namespace sluice {

class LinkInterrupts {
 public:
  /// Of started ports, which must outlive this. Throws std::runtime_error.
  explicit LinkInterrupts(std::vector<uint16_t> ports);
  LinkInterrupts(const LinkInterrupts&) = delete;
  LinkInterrupts& operator=(const LinkInterrupts&) = delete;
  ~LinkInterrupts();

  /// Readable after a change, until clear().
  int fd() const { return fd_; }
  void clear() const;

 private:
  std::vector<uint16_t> ports_;
  int fd_;
};

}  // namespace sluice
