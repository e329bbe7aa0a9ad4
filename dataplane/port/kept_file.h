// SPDX-License-Identifier: BSD-3-Clause
// Files in memory (tmpfs, hugetlbfs) that hold what outlives the process: see kept_state.h.
//
//   names       KeptNames, then a KeptPath for each number of a path
//   worker-N    KeptFlows, flows, addresses of IPv6 clients, clock maps, what
//               stands beside flows (PROXY headers, SYN cookies), chunks of ports
//
// They are as large as they may ever be, and have pages where something was made: asked of the
// file system then, so that a write never finds it full.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <string>

#include "dataplane/net/siphash.h"
#include "dataplane/state/kept_source.h"

namespace sluice {

/// A file that is mapped as a whole, shared. The file stays when this goes.
class KeptFile {
 public:
  /// A new file of zeros, which nobody else may read. Throws std::runtime_error.
  static KeptFile create(const std::string& path, size_t bytes);
  /// One that is there. Throws std::runtime_error.
  static KeptFile open(const std::string& path);
  KeptFile(KeptFile&& other) noexcept;
  KeptFile& operator=(KeptFile&&) = delete;
  ~KeptFile();

  std::byte* data() const { return data_; }
  size_t size() const { return size_; }
  /// Takes the pages of a part. Throws std::bad_alloc.
  void ensure(size_t offset, size_t bytes) const;
  /// Asks for pages of a NUMA node.
  void bind(size_t offset, size_t bytes, int numa_socket) const;

 private:
  KeptFile(int file, const std::string& path, size_t size);

  int file_;
  std::byte* data_ = nullptr;
  size_t size_;
};

/// Changes with the layout of what is kept.
uint32_t kept_layout();

/// What a file begins with.
struct KeptMagic {
  uint64_t magic = 0;
  uint32_t layout = 0;

  static constexpr uint64_t kMagic = 0x6b'65'70'74'73'6c'75'69;
  void set() { *this = {kMagic, kept_layout()}; }
  bool is_ours() const { return magic == kMagic && layout == kept_layout(); }
};

/// Of a process.
struct KeptNames {
  KeptMagic magic;
  char boot_id[40];
  uint32_t worker_count;
  net::SipKey steering_secret;  // so that ports keep their order of first use
  // The workers' clock less the machine's (CLOCK_BOOTTIME), in milliseconds.
  std::atomic<int64_t> clock_ahead_ms;
  std::array<int64_t, 3> crash_ms;  // when the last ones ended by a fault (CLOCK_BOOTTIME); 0: none
  std::atomic<int> fatal_signal;    // that ended it
  std::atomic<bool> ready;          // it had adopted everything
  std::atomic<bool> ended;          // in order
};

/// Of a worker.
struct KeptFlows {
  KeptMagic magic;
  uint32_t flow_count;
  uint64_t flows_at;
  uint64_t clients6_at;
  uint64_t clock_maps_at;
  uint64_t proxy_tracks_at;
  uint64_t splices_at;
  uint64_t chunks_at;
  std::atomic<bool> has_clients6;
  std::atomic<bool> has_clock_maps;
  std::atomic<bool> has_proxy_tracks;
  std::atomic<bool> has_splices;
  std::atomic<uint64_t> chunk_bytes;  // that were made
};

/// The file of a worker that runs.
class KeptWorker {
 public:
  struct Sizes {
    uint32_t flow_count;
    uint64_t chunk_bytes;  // at most
    int numa_socket;
  };
  /// Throws std::runtime_error or std::bad_alloc.
  KeptWorker(const std::string& path, const Sizes& sizes);
  KeptWorker(const KeptWorker&) = delete;
  KeptWorker& operator=(const KeptWorker&) = delete;

  KeptMemory memory() {
    return {&flows_, &clients6_, &clock_maps_, &proxy_tracks_, &splices_, &chunks_};
  }

 private:
  /// Gives a part of the file away, from its beginning on; what is given back is not used again.
  class Section : public std::pmr::memory_resource {
   public:
    Section(const KeptWorker& worker, size_t begin, size_t bytes)
        : worker_(worker), begin_(begin), bytes_(bytes) {}

   private:
    void* do_allocate(size_t bytes, size_t alignment) override;
    void do_deallocate(void*, size_t, size_t) override {}
    bool do_is_equal(const memory_resource& other) const noexcept override {
      return this == &other;
    }
    void note();

    const KeptWorker& worker_;
    size_t begin_;
    size_t bytes_;
    size_t used_ = 0;
    size_t ensured_ = 0;
    friend class KeptWorker;
  };

  KeptFlows& header() const { return *reinterpret_cast<KeptFlows*>(file_.data()); }

  KeptFile file_;
  int numa_socket_;
  Section flows_;
  Section clients6_;
  Section clock_maps_;
  Section proxy_tracks_;
  Section splices_;
  Section chunks_;
};

/// The file of a worker that is gone.
class KeptLeft {
 public:
  /// Throws std::runtime_error where it is no such file, or not of our layout.
  explicit KeptLeft(const std::string& path);
  /// But for its names.
  KeptSource source() const;

 private:
  const KeptFlows& header() const { return *reinterpret_cast<const KeptFlows*>(file_.data()); }

  KeptFile file_;
};

}  // namespace sluice
