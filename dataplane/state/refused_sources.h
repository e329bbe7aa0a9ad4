// SPDX-License-Identifier: BSD-3-Clause
// Which sources are refused most: after Space-Saving (Metwally, Agrawal, El Abbadi 2005), in sets
// of kWays, so that a refusal costs a look at one set.
//
// A source that is not there takes the place of the one of its set that was refused least, and its
// count with it: what a cell says is at most `error` too much. One that has been quiet for kQuietMs
// goes first. So who is refused more often than one in kCells is there.
//
// One writer; any thread reads cell by cell, and leaves out one that is just being written.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <optional>

#include "dataplane/net/folded_multiply.h"
#include "dataplane/state/address_key.h"

namespace sluice {

class RefusedSources {
 public:
  static constexpr uint32_t kCells = 256;
  static constexpr uint32_t kWays = 8;
  static constexpr uint32_t kQuietMs = 600'000;

  struct Source {
    AddressKey ip;
    uint64_t count;    // at most
    uint64_t error;    // of these, perhaps others'
    uint32_t last_ms;  // of the worker's clock
  };

  explicit RefusedSources(uint64_t secret) : secret_(secret | 1) {}

  void note(const AddressKey& ip, uint32_t now_ms) {
    const Words words = std::bit_cast<Words>(ip.bytes);
    const uint64_t once = net::folded_multiply(words[1] ^ secret_, words[0] ^ ~secret_);
    const uint64_t hash = net::folded_multiply(once ^ secret_, kOdd);
    Cell* const set = &cells_[(hash >> 32) % (kCells / kWays) * kWays];
    Cell* least = set;
    for (Cell* cell = set; cell != set + kWays; ++cell) {
      if (cell->is(words)) return cell->write(words, cell->count() + 1, cell->error(), now_ms);
      if (cell->rank(now_ms) < least->rank(now_ms)) least = cell;
    }
    const uint64_t others = least->rank(now_ms);
    least->write(words, others + 1, others, now_ms);
  }

  /// Nothing of a cell that has no source, or is being written.
  std::optional<Source> read(uint32_t cell) const { return cells_[cell].read(); }

 private:
  static constexpr uint64_t kOdd = 0x9e3779b97f4a7c15;  // of the golden ratio
  using Words = std::array<uint64_t, 2>;

  class Cell {
   public:
    bool is(const Words& ip) const {
      return count() != 0 && get(ip_[0]) == ip[0] && get(ip_[1]) == ip[1];
    }
    uint64_t count() const { return get(count_); }
    uint64_t error() const { return get(error_); }
    /// What it counts for against others: nothing after a long silence.
    uint64_t rank(uint32_t now_ms) const {
      return now_ms - last_ms_.load(std::memory_order_relaxed) > kQuietMs ? 0 : count();
    }
    void write(const Words& ip, uint64_t count, uint64_t error, uint32_t now_ms) {
      const uint32_t version = version_.load(std::memory_order_relaxed);
      version_.store(version + 1, std::memory_order_relaxed);
      std::atomic_thread_fence(std::memory_order_release);
      set(ip_[0], ip[0]);
      set(ip_[1], ip[1]);
      set(count_, count);
      set(error_, error);
      last_ms_.store(now_ms, std::memory_order_relaxed);
      version_.store(version + 2, std::memory_order_release);
    }
    std::optional<Source> read() const {
      const uint32_t before = version_.load(std::memory_order_acquire);
      const Words ip = {get(ip_[0]), get(ip_[1])};
      const Source source{{std::bit_cast<decltype(AddressKey::bytes)>(ip)},
                          count(),
                          error(),
                          last_ms_.load(std::memory_order_relaxed)};
      std::atomic_thread_fence(std::memory_order_acquire);
      const bool whole = before % 2 == 0 && version_.load(std::memory_order_relaxed) == before;
      return whole && source.count != 0 ? std::optional(source) : std::nullopt;
    }

   private:
    using Word = std::atomic<uint64_t>;
    static uint64_t get(const Word& word) { return word.load(std::memory_order_relaxed); }
    static void set(Word& word, uint64_t value) { word.store(value, std::memory_order_relaxed); }

    Word ip_[2]{};
    Word count_ = 0;
    Word error_ = 0;
    std::atomic<uint32_t> last_ms_ = 0;
    std::atomic<uint32_t> version_ = 0;  // odd while it is written
  };

  uint64_t secret_;
  std::array<Cell, kCells> cells_{};
};

}  // namespace sluice
