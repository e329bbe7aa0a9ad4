// SPDX-License-Identifier: BSD-3-Clause
// Keeps and prints packets.
#include "tests/simulation/trace.h"

#include <string>

namespace sluice::sim {
namespace {

std::string text(const Address& a) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%u.%u.%u.%u:%u", a.ip >> 24, a.ip >> 16 & 255,
                a.ip >> 8 & 255, a.ip & 255, a.port);
  return buffer;
}

const char* name_of(Place place) {
  switch (place) {
    case Place::client_sent:
      return "client sends     ";
    case Place::client_got:
      return "client receives  ";
    case Place::backend_sent:
      return "backend sends    ";
    case Place::backend_got:
      return "backend receives ";
    case Place::balancer_to_client:
      return "balancer > client ";
    case Place::balancer_to_backend:
      return "balancer > backend";
  }
  return "?";
}

}  // namespace

void Trace::note(TimeUs now, Place place, const Segment& s, ConnectionId connection) {
  records_[count_++ & mask_] = {
      now,       s.source,   s.destination,  s.seq,   s.ack, s.tsval,          s.tsecr,
      s.sack[0], connection, s.payload_size, s.flags, place, s.has_timestamps, s.sack_count != 0};
}

void Trace::print(std::FILE* file, ConnectionId connection, const Tuple* tuple) const {
  const size_t first = count_ > mask_ ? count_ - mask_ - 1 : 0;
  for (size_t i = first; i < count_; i++) {
    const Record& r = records_[i & mask_];
    const bool on_tuple =
        tuple != nullptr && ((r.source == tuple->local && r.destination == tuple->backend) ||
                             (r.source == tuple->backend && r.destination == tuple->local));
    if (on_tuple || (connection != kNobody && r.connection == connection)) print(file, r);
  }
}

void Trace::print(std::FILE* file, const Record& r) {
  constexpr char kLetters[] = "FSRP.";
  std::string flags;
  for (unsigned i = 0; i < 5; i++)
    if (r.flags >> i & 1) flags += kLetters[i];
  std::fprintf(file, "%14.6f  #%-8u %-18s %s > %s [%s] seq %u", static_cast<double>(r.at) / 1e6,
               r.connection, name_of(r.place), text(r.source).c_str(), text(r.destination).c_str(),
               flags.c_str(), r.seq);
  if (r.flags & kAck) std::fprintf(file, " ack %u", r.ack);
  if (r.has_timestamps) std::fprintf(file, " TS %u/%u", r.tsval, r.tsecr);
  if (r.has_sack) std::fprintf(file, " SACK %u-%u", r.sack.left, r.sack.right);
  if (r.payload_size != 0) std::fprintf(file, " (%u bytes)", r.payload_size);
  std::fprintf(file, "\n");
}

}  // namespace sluice::sim
