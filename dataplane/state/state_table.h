// SPDX-License-Identifier: BSD-3-Clause
// Tables by id that are made for the most there can be and cost memory for what there is.
//
// Workers read them while the control thread adds entries, so they must never move. Their pages are
// the kernel's zero page until an entry on them is first written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <type_traits>

namespace sluice {

/// `kCount` entries, all bytes zero at first.
template <class Entry, size_t kCount>
class ZeroedTable {
  static_assert(std::is_trivially_copyable_v<Entry> && std::is_trivially_destructible_v<Entry>);

 public:
  ZeroedTable() : entries_(static_cast<Entry*>(std::calloc(kCount, sizeof(Entry)))) {
    if (entries_ == nullptr) throw std::bad_alloc();
  }
  ~ZeroedTable() { std::free(entries_); }
  ZeroedTable(const ZeroedTable&) = delete;
  ZeroedTable& operator=(const ZeroedTable&) = delete;

  const Entry& operator[](size_t id) const { return entries_[id]; }
  void set(size_t id, const Entry& entry) {
    entries_[id] = entry;
    if (id >= used_) used_ = id + 1;
  }
  /// The entries up to the last that was ever set.
  const Entry* begin() const { return entries_; }
  const Entry* end() const { return entries_ + used_; }

 private:
  Entry* entries_;
  size_t used_ = 0;  // the control thread's
};

/// Owns a State for each id that has one.
template <class State, size_t kCount>
class StateTable {
 public:
  StateTable() = default;
  ~StateTable() {
    for (State* state : entries_) delete state;
  }
  StateTable(const StateTable&) = delete;
  StateTable& operator=(const StateTable&) = delete;

  /// nullptr where there is none.
  State* operator[](size_t id) const { return entries_[id]; }
  void set(size_t id, std::unique_ptr<State> state) {
    delete entries_[id];
    entries_.set(id, state.release());
  }
  void reset(size_t id) { set(id, nullptr); }
  auto begin() const { return entries_.begin(); }
  auto end() const { return entries_.end(); }

 private:
  ZeroedTable<State*, kCount> entries_;
};

}  // namespace sluice
