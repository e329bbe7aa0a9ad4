// SPDX-License-Identifier: BSD-3-Clause
// Maps, sizes and lays out files.
#include "dataplane/port/kept_file.h"

#include <fcntl.h>
#include <numaif.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <new>
#include <stdexcept>
#include <utility>

#include "dataplane/state/kept_layout.h"
#include "dataplane/state/registry.h"

namespace sluice {
namespace {

constexpr size_t kHugePage = 2 << 20;

constexpr size_t rounded(size_t bytes) {
  return (bytes + kHugePage - 1) / kHugePage * kHugePage;
}

[[noreturn]] void fail(const std::string& path) {
  throw std::runtime_error(path + ": " + std::strerror(errno));
}

/// Address space that begins where a hugepage may.
std::byte* map_aligned(int file, size_t size) {
  void* const room = mmap(nullptr, size + kHugePage, PROT_NONE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (room == MAP_FAILED) return nullptr;
  void* begin = room;
  size_t space = size + kHugePage;
  std::align(kHugePage, size, begin, space);
  void* const mapped =
      mmap(begin, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED | MAP_NORESERVE, file, 0);
  const auto before = static_cast<size_t>(static_cast<char*>(begin) - static_cast<char*>(room));
  if (before > 0) munmap(room, before);
  const size_t behind = kHugePage - before;
  if (behind > 0)
    munmap(static_cast<char*>(begin) + rounded(size), behind - (rounded(size) - size));
  return mapped == MAP_FAILED ? nullptr : static_cast<std::byte*>(mapped);
}

}  // namespace

KeptFile::KeptFile(int file, const std::string& path, size_t size) : file_(file), size_(size) {
  data_ = map_aligned(file, size);
  if (data_ == nullptr) {
    close(file);
    fail(path);
  }
  madvise(data_, size, MADV_HUGEPAGE);
}

KeptFile::KeptFile(KeptFile&& other) noexcept
    : file_(std::exchange(other.file_, -1)),
      data_(std::exchange(other.data_, nullptr)),
      size_(other.size_) {}

KeptFile::~KeptFile() {
  if (data_ != nullptr) munmap(data_, size_);
  if (file_ >= 0) close(file_);
}

KeptFile KeptFile::create(const std::string& path, size_t bytes) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) fail(path);
  const size_t size = rounded(bytes);
  if (ftruncate(file, static_cast<off_t>(size)) != 0) {
    const int error = errno;
    close(file);
    errno = error;
    fail(path);
  }
  return KeptFile(file, path, size);
}

KeptFile KeptFile::open(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (file < 0) fail(path);
  struct stat about {};
  if (fstat(file, &about) != 0 || about.st_size < static_cast<off_t>(kHugePage)) {
    close(file);
    throw std::runtime_error(path + ": too short");
  }
  return KeptFile(file, path, static_cast<size_t>(about.st_size));
}

void KeptFile::ensure(size_t offset, size_t bytes) const {
  if (fallocate(file_, 0, static_cast<off_t>(offset), static_cast<off_t>(bytes)) == 0) return;
  // A file system that cannot is no file system in memory; it is used as it is.
  if (errno != EOPNOTSUPP) throw std::bad_alloc();
}

void KeptFile::bind(size_t offset, size_t bytes, int numa_socket) const {
  if (numa_socket < 0 || numa_socket >= static_cast<int>(sizeof(long) * CHAR_BIT)) return;
  const unsigned long nodes = 1ul << numa_socket;
  mbind(data_ + offset, bytes, MPOL_PREFERRED, &nodes, sizeof(nodes) * CHAR_BIT + 1, 0);
}

uint32_t kept_layout() {
  static const uint32_t kRecords = records_layout();
  constexpr uint32_t kHeaders[] = {
      sizeof(KeptNames),
      offsetof(KeptNames, steering_secret),
      offsetof(KeptNames, clock_ahead_ms),
      offsetof(KeptNames, crash_ms),
      offsetof(KeptNames, ended),
      sizeof(KeptFlows),
      offsetof(KeptFlows, chunk_bytes),
      Registry::kPaths,
  };
  uint32_t hash = kRecords;
  for (const uint32_t part : kHeaders) hash = (hash ^ part) * 16777619u;
  return hash;
}

KeptWorker::KeptWorker(const std::string& path, const Sizes& sizes)
    : file_(KeptFile::create(path, kHugePage + rounded(sizes.flow_count * sizeof(Flow)) +
                                       rounded(sizes.flow_count * sizeof(net::Ipv6Address)) +
                                       rounded(sizes.flow_count * sizeof(ClockMap)) +
                                       rounded(sizes.flow_count * sizeof(ProxyTrack)) +
                                       rounded(sizes.flow_count * sizeof(Splice)) +
                                       rounded(sizes.chunk_bytes))),
      numa_socket_(sizes.numa_socket),
      flows_(*this, kHugePage, sizes.flow_count * sizeof(Flow)),
      clients6_(*this, flows_.begin_ + rounded(flows_.bytes_),
                sizes.flow_count * sizeof(net::Ipv6Address)),
      clock_maps_(*this, clients6_.begin_ + rounded(clients6_.bytes_),
                  sizes.flow_count * sizeof(ClockMap)),
      proxy_tracks_(*this, clock_maps_.begin_ + rounded(clock_maps_.bytes_),
                    sizes.flow_count * sizeof(ProxyTrack)),
      splices_(*this, proxy_tracks_.begin_ + rounded(proxy_tracks_.bytes_),
               sizes.flow_count * sizeof(Splice)),
      chunks_(*this, splices_.begin_ + rounded(splices_.bytes_), rounded(sizes.chunk_bytes)) {
  file_.ensure(0, sizeof(KeptFlows));
  file_.bind(flows_.begin_, flows_.bytes_, numa_socket_);
  file_.ensure(flows_.begin_, flows_.bytes_);
  flows_.ensured_ = flows_.bytes_;
  KeptFlows& header = *new (file_.data()) KeptFlows{};
  header.flow_count = sizes.flow_count;
  header.flows_at = flows_.begin_;
  header.clients6_at = clients6_.begin_;
  header.clock_maps_at = clock_maps_.begin_;
  header.proxy_tracks_at = proxy_tracks_.begin_;
  header.splices_at = splices_.begin_;
  header.chunks_at = chunks_.begin_;
  header.magic.set();
}

void* KeptWorker::Section::do_allocate(size_t bytes, size_t alignment) {
  const size_t at = (used_ + alignment - 1) / alignment * alignment;
  if (bytes > bytes_ || at > bytes_ - bytes) throw std::bad_alloc();
  if (at + bytes > ensured_) {
    // A megabyte at a time, as far as there is one.
    const size_t more =
        std::min(std::max(at + bytes - ensured_, size_t{1} << 20), bytes_ - ensured_);
    worker_.file_.bind(begin_ + ensured_, more, worker_.numa_socket_);
    worker_.file_.ensure(begin_ + ensured_, more);
    ensured_ += more;
  }
  used_ = at + bytes;
  note();
  return worker_.file_.data() + begin_ + at;
}

void KeptWorker::Section::note() {
  KeptFlows& header = worker_.header();
  if (this == &worker_.clients6_) header.has_clients6 = true;
  if (this == &worker_.clock_maps_) header.has_clock_maps = true;
  if (this == &worker_.proxy_tracks_) header.has_proxy_tracks = true;
  if (this == &worker_.splices_) header.has_splices = true;
  if (this == &worker_.chunks_) header.chunk_bytes = used_;
}

KeptLeft::KeptLeft(const std::string& path) : file_(KeptFile::open(path)) {
  const KeptFlows& left = header();
  const auto fits = [&](uint64_t at, uint64_t bytes) {
    return at <= file_.size() && bytes <= file_.size() - at;
  };
  const uint64_t count = left.flow_count;
  if (!left.magic.is_ours() || !fits(left.flows_at, count * sizeof(Flow)) ||
      !fits(left.clients6_at, count * sizeof(net::Ipv6Address)) ||
      !fits(left.clock_maps_at, count * sizeof(ClockMap)) ||
      !fits(left.proxy_tracks_at, count * sizeof(ProxyTrack)) ||
      !fits(left.splices_at, count * sizeof(Splice)) || !fits(left.chunks_at, left.chunk_bytes)) {
    throw std::runtime_error(path + ": not of this version");
  }
}

KeptSource KeptLeft::source() const {
  const KeptFlows& left = header();
  std::byte* const data = file_.data();
  const size_t count = left.flow_count;
  KeptSource source;
  source.flows = {reinterpret_cast<Flow*>(data + left.flows_at), count};
  if (left.has_clients6) {
    source.clients6 = {reinterpret_cast<net::Ipv6Address*>(data + left.clients6_at), count};
  }
  if (left.has_clock_maps) {
    source.clock_maps = {reinterpret_cast<ClockMap*>(data + left.clock_maps_at), count};
  }
  if (left.has_proxy_tracks) {
    source.proxy_tracks = {reinterpret_cast<ProxyTrack*>(data + left.proxy_tracks_at), count};
  }
  if (left.has_splices) {
    source.splices = {reinterpret_cast<Splice*>(data + left.splices_at), count};
  }
  source.chunks = {reinterpret_cast<PortChunk*>(data + left.chunks_at),
                   left.chunk_bytes / sizeof(PortChunk)};
  return source;
}

}  // namespace sluice
