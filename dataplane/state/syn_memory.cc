// SPDX-License-Identifier: BSD-3-Clause
// The sets.
#include "dataplane/state/syn_memory.h"

#include "dataplane/net/folded_multiply.h"
#include "dataplane/net/serial.h"

namespace sluice {

SynMemory::SynMemory(net::Random& random, std::pmr::memory_resource* memory)
    : secret_{random.next(), random.next() | 1}, sets_(kSets, memory) {}

uint64_t SynMemory::hash(const FlowName& name, uint32_t sequence) const {
  uint64_t once = secret_[0];
  if (name.is_v4()) {
    once = net::folded_multiply(name.v4().word() ^ once, secret_[1]);
  } else {
    for (const uint64_t word : name.v6().words()) {
      once = net::folded_multiply(word ^ once, secret_[1]);
    }
  }
  return net::folded_multiply(once ^ sequence, secret_[1]);
}

void SynMemory::note(const FlowName& name, uint32_t sequence, uint32_t sent_ms) {
  const uint64_t h = hash(name, sequence);
  Set& set = sets_[h % kSets];
  const uint16_t now = steps(sent_ms);
  uint32_t oldest = 0;
  for (uint32_t i = 0; i < kSlots; ++i) {
    const auto age = static_cast<uint16_t>(now - set.sent[i]);
    const bool known = set.tags[i] == tag_of(h) && age <= steps(kLatestMs);
    if (known || set.tags[i] == 0) {
      oldest = i;
      break;
    }
    // Flows that make way were begun before SYNs that came meanwhile: their time may lie behind.
    if (static_cast<int16_t>(set.sent[i] - set.sent[oldest]) < 0) oldest = i;
  }
  set.tags[oldest] = tag_of(h);
  set.sent[oldest] = now;
  if (is_empty_ || net::serial_after(sent_ms, newest_ms_)) newest_ms_ = sent_ms;
  is_empty_ = false;
}

SynSeen SynMemory::look_up(const FlowName& name, uint32_t sequence, uint32_t now_ms) const {
  if (is_empty_ || now_ms - newest_ms_ > kLatestMs) return SynSeen::kFirst;
  const uint64_t h = hash(name, sequence);
  const Set& set = sets_[h % kSets];
  for (uint32_t i = 0; i < kSlots && set.tags[i] != 0; ++i) {
    const auto age = static_cast<uint16_t>(steps(now_ms) - set.sent[i]);
    if (set.tags[i] != tag_of(h) || age > steps(kLatestMs)) continue;
    return age * kStepMs < kSynRepeatMs ? SynSeen::kCopy : SynSeen::kRepeated;
  }
  return SynSeen::kFirst;
}

}  // namespace sluice
