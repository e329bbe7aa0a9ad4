// SPDX-License-Identifier: BSD-3-Clause
// The TIME_WAIT rules and the fit.
#include "dataplane/state/time_wait.h"

#include "dataplane/net/serial.h"

namespace sluice {
namespace {

using net::serial_after;

// Steps are far below 2^31, where serial order would turn round, and large enough not to be
// guessed.
constexpr uint32_t kSequenceStep = uint32_t{1} << 30;
constexpr uint32_t kTimestampStep = uint32_t{1} << 24;

}  // namespace

bool linux_takes(const PriorIncarnation& prior, const SynNumbers& syn) {
  const bool newer_sequence = serial_after(syn.sequence, prior.rcv_nxt);
  if (!prior.timestamps || !syn.timestamps) return newer_sequence;
  if (serial_after(prior.ts_recent, syn.tsval)) return false;  // PAWS
  return newer_sequence || serial_after(syn.tsval, prior.ts_recent);
}

namespace {

// Half the circle away is newer both ways for Linux' after() and not newer for others.
bool surely_newer(uint32_t a, uint32_t b) {
  return static_cast<int32_t>(a - b) > 0;
}

bool sequence_fits(const PriorIncarnation& prior, const SynNumbers& syn) {
  return surely_newer(syn.sequence, prior.rcv_nxt);
}

// With a newer sequence number an equal timestamp will do.
bool timestamp_fits(const PriorIncarnation& prior, const SynNumbers& syn) {
  return !prior.timestamps || !syn.timestamps || syn.tsval == prior.ts_recent ||
         surely_newer(syn.tsval, prior.ts_recent);
}

}  // namespace

bool all_take(const PriorIncarnation& prior, const SynNumbers& syn) {
  return sequence_fits(prior, syn) && timestamp_fits(prior, syn);
}

uint32_t sequence_step(const PriorIncarnation& prior, const SynNumbers& syn, net::Random& random) {
  return prior.rcv_nxt + 1 + random.below(kSequenceStep) - syn.sequence;
}

net::SeqAdjust smallest_adjust(const PriorIncarnation& prior, const SynNumbers& syn,
                               net::Random& random) {
  net::SeqAdjust adjust;
  if (!sequence_fits(prior, syn)) adjust.sequence = sequence_step(prior, syn, random);
  if (!timestamp_fits(prior, syn)) {
    const uint32_t wanted = prior.ts_recent + 1 + random.below(kTimestampStep);
    adjust.timestamp = wanted - syn.tsval;
  }
  return adjust;
}

}  // namespace sluice
