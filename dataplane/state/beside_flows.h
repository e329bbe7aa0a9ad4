// SPDX-License-Identifier: BSD-3-Clause
// A table of records by flow, for what only some flows have: made once something needs it.
#pragma once

#include <cstdint>
#include <memory_resource>
#include <optional>
#include <vector>

namespace sluice {

template <class Record>
class BesideFlows {
 public:
  BesideFlows() = default;
  BesideFlows(const BesideFlows&) = delete;
  BesideFlows& operator=(const BesideFlows&) = delete;

  /// Where the table is to be made.
  void set_memory(std::pmr::memory_resource* memory) { memory_ = memory; }
  /// Control thread; a second call does nothing. Throws std::bad_alloc.
  void make(uint32_t flow_count_max) {
    if (data_ != nullptr) return;
    records_.emplace(flow_count_max, memory_);
    data_ = records_->data();
  }

  bool is_made() const { return data_ != nullptr; }
  Record& operator[](uint32_t flow) { return data_[flow]; }
  const Record& operator[](uint32_t flow) const { return data_[flow]; }

 private:
  Record* data_ = nullptr;
  std::pmr::memory_resource* memory_ = std::pmr::get_default_resource();
  std::optional<std::pmr::vector<Record>> records_;
};

}  // namespace sluice
