// SPDX-License-Identifier: BSD-3-Clause
// What outlives a core that is killed, in plain memory that can be copied at any instant.
#pragma once

#include <sys/mman.h>

#include <cstring>
#include <memory>
#include <memory_resource>
#include <new>
#include <span>

#include "dataplane/state/kept_source.h"

namespace sluice::sim {

class KeptArena {
 public:
  KeptArena(uint32_t flow_count, size_t chunk_count)
      : flow_count_(flow_count),
        pages_(rounded(flow_count * sizeof(Flow)) + rounded(flow_count * sizeof(net::Ipv6Address)) +
               rounded(flow_count * sizeof(ClockMap)) + rounded(flow_count * sizeof(ProxyTrack)) +
               rounded(flow_count * sizeof(Splice)) + rounded(chunk_count * sizeof(PortChunk))),
        flows_(pages_.data(), rounded(flow_count * sizeof(Flow))),
        clients6_(flows_.end(), rounded(flow_count * sizeof(net::Ipv6Address))),
        clock_maps_(clients6_.end(), rounded(flow_count * sizeof(ClockMap))),
        proxy_tracks_(clock_maps_.end(), rounded(flow_count * sizeof(ProxyTrack))),
        splices_(proxy_tracks_.end(), rounded(flow_count * sizeof(Splice))),
        chunks_(splices_.end(), rounded(chunk_count * sizeof(PortChunk))) {}

  KeptMemory memory() {
    return {&flows_, &clients6_, &clock_maps_, &proxy_tracks_, &splices_, &chunks_};
  }
  // Whole pages.
  std::span<std::byte> pages() { return {pages_.data(), pages_.size()}; }

  // As it would be found now; `to` has the same sizes. May be called from a signal's handler.
  void copy_to(KeptArena& to) const {
    flows_.copy_to(to.flows_);
    clients6_.copy_to(to.clients6_);
    clock_maps_.copy_to(to.clock_maps_);
    proxy_tracks_.copy_to(to.proxy_tracks_);
    splices_.copy_to(to.splices_);
    chunks_.copy_to(to.chunks_);
  }

  // But for its names. Valid until the next call.
  KeptSource source() {
    taken_.assign(flow_count_, 0);
    KeptSource source;
    source.flows = {reinterpret_cast<const Flow*>(flows_.data()), flow_count_};
    source.taken = taken_;
    if (clients6_.used() != 0) {
      source.clients6 = {reinterpret_cast<const net::Ipv6Address*>(clients6_.data()), flow_count_};
    }
    if (clock_maps_.used() != 0) {
      source.clock_maps = {reinterpret_cast<const ClockMap*>(clock_maps_.data()), flow_count_};
    }
    if (proxy_tracks_.used() != 0) {
      source.proxy_tracks = {reinterpret_cast<const ProxyTrack*>(proxy_tracks_.data()),
                             flow_count_};
    }
    if (splices_.used() != 0) {
      source.splices = {reinterpret_cast<const Splice*>(splices_.data()), flow_count_};
    }
    source.chunks = {reinterpret_cast<const PortChunk*>(chunks_.data()),
                     chunks_.used() / sizeof(PortChunk)};
    return source;
  }

 private:
  static constexpr size_t kPage = 4096;
  static constexpr size_t rounded(size_t bytes) { return (bytes + kPage - 1) / kPage * kPage; }

  // Of zeros, until they are used without cost.
  class Pages {
   public:
    explicit Pages(size_t bytes) : bytes_(bytes) {
      void* const pages =
          mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (pages == MAP_FAILED) throw std::bad_alloc();
      data_ = static_cast<std::byte*>(pages);
    }
    ~Pages() { munmap(data_, bytes_); }
    Pages(const Pages&) = delete;
    Pages& operator=(const Pages&) = delete;

    std::byte* data() const { return data_; }
    size_t size() const { return bytes_; }

   private:
    std::byte* data_;
    size_t bytes_;
  };

  class Section : public std::pmr::memory_resource {
   public:
    Section(std::byte* data, size_t bytes) : data_(data), bytes_(bytes) {}
    Section(const Section&) = delete;

    std::byte* data() { return data_; }
    std::byte* end() { return data_ + bytes_; }
    size_t used() const { return used_; }
    void copy_to(Section& to) const {
      std::memcpy(to.data_, data_, used_);
      to.used_ = used_;
    }

   private:
    void* do_allocate(size_t bytes, size_t) override {
      if (bytes > bytes_ - used_) throw std::bad_alloc();
      used_ += bytes;
      return data_ + used_ - bytes;
    }
    void do_deallocate(void*, size_t, size_t) override {}
    bool do_is_equal(const memory_resource& other) const noexcept override {
      return this == &other;
    }

    std::byte* data_;
    size_t bytes_;
    size_t used_ = 0;
  };

  uint32_t flow_count_;
  Pages pages_;
  Section flows_;
  Section clients6_;
  Section clock_maps_;
  Section proxy_tracks_;
  Section splices_;
  Section chunks_;
  std::vector<uint8_t> taken_;
};

}  // namespace sluice::sim
