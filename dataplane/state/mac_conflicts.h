// SPDX-License-Identifier: BSD-3-Clause
// Who claimed an address that somebody else has: the last ones, for the log.
#pragma once

#include <array>
#include <cstdint>

#include "dataplane/net/address.h"

namespace sluice {

struct MacConflict {
  net::IpAddress ip{};
  uint16_t interface = 0;
  bool own = false;  // one of our addresses; else a next hop's
  net::MacAddress known{};
  net::MacAddress claimed{};
  uint64_t count = 0;  // 0: nothing stands here
};

class MacConflicts {
 public:
  static constexpr size_t kRows = 16;
  using Rows = std::array<MacConflict, kRows>;

  /// Counts a claim, beside the same one of before or in the place of the oldest.
  void note(const MacConflict& conflict) {
    for (MacConflict& row : rows_) {
      if (row.count > 0 && row.ip == conflict.ip && row.interface == conflict.interface &&
          row.claimed == conflict.claimed) {
        row.known = conflict.known;
        row.count += conflict.count;
        return;
      }
    }
    rows_[next_] = conflict;
    next_ = (next_ + 1) % kRows;
  }
  const Rows& rows() const { return rows_; }

 private:
  Rows rows_{};
  size_t next_ = 0;
};

}  // namespace sluice
