// SPDX-License-Identifier: BSD-3-Clause
// Copies of a worker's WhyRecords about one client, newest first.
#pragma once

#include <optional>
#include <vector>

#include "dataplane/state/address_key.h"
#include "dataplane/state/why_record.h"
#include "dataplane/worker/worker_call.h"

namespace sluice {

struct WhyFilter {
  AddressKeyPrefix client{};
  net::be16 client_port{};           // 0: any
  std::optional<net::Endpoint> vip;  // none: any
  std::optional<net::Protocol> protocol;
  uint64_t since_ms = 0;  // of the wall clock

  bool wants(const WhyRecord& record) const;
};

class ListWhy : public WorkerCall {
 public:
  ListWhy(const WhyFilter& filter, size_t rows_max) : filter_(filter), rows_max_(rows_max) {
    rows_.reserve(rows_max);
  }
  bool step(Core& core) override;

  const std::vector<WhyRecord>& rows() const { return rows_; }
  bool more() const { return more_; }
  /// When the oldest record that is left was made; nothing where there is none.
  std::optional<uint64_t> oldest_ms() const { return oldest_ms_; }

 private:
  WhyFilter filter_;
  size_t rows_max_;
  std::vector<WhyRecord> rows_;
  std::optional<uint64_t> next_;  // records before this one are yet to be looked at
  std::optional<uint64_t> oldest_ms_;
  bool more_ = false;
};

}  // namespace sluice
