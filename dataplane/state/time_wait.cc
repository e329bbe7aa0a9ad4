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

bool linux_takes(const Legacy& legacy, const SynNumbers& syn) {
  const bool newer_sequence = serial_after(syn.sequence, legacy.last_sequence);
  if (!legacy.timestamps || !syn.timestamps) return newer_sequence;
  if (serial_after(legacy.last_tsval, syn.tsval)) return false;  // PAWS
  return newer_sequence || serial_after(syn.tsval, legacy.last_tsval);
}

namespace {

// Half the circle away is newer both ways for Linux' after() and not newer for others.
bool surely_newer(uint32_t a, uint32_t b) {
  return static_cast<int32_t>(a - b) > 0;
}

bool sequence_fits(const Legacy& legacy, const SynNumbers& syn) {
  return surely_newer(syn.sequence, legacy.last_sequence);
}

// With a newer sequence number an equal timestamp will do.
bool timestamp_fits(const Legacy& legacy, const SynNumbers& syn) {
  return !legacy.timestamps || !syn.timestamps || syn.tsval == legacy.last_tsval ||
         surely_newer(syn.tsval, legacy.last_tsval);
}

}  // namespace

bool all_take(const Legacy& legacy, const SynNumbers& syn) {
  return sequence_fits(legacy, syn) && timestamp_fits(legacy, syn);
}

uint32_t sequence_step(const Legacy& legacy, const SynNumbers& syn, net::Random& random) {
  return legacy.last_sequence + 1 + random.below(kSequenceStep) - syn.sequence;
}

net::Shift fit(const Legacy& legacy, const SynNumbers& syn, net::Random& random) {
  net::Shift shift;
  if (!sequence_fits(legacy, syn)) shift.sequence = sequence_step(legacy, syn, random);
  if (!timestamp_fits(legacy, syn)) {
    const uint32_t wanted = legacy.last_tsval + 1 + random.below(kTimestampStep);
    shift.timestamp = wanted - syn.tsval;
  }
  return shift;
}

}  // namespace sluice
