// SPDX-License-Identifier: BSD-3-Clause
// The last packets of all connections, kept as plain records and written as text only when somebody
// has to read them.
#pragma once

#include <cstdio>
#include <vector>

#include "tests/simulation/connection.h"
#include "tests/simulation/segment.h"

namespace sluice::sim {

enum class Place : uint8_t {
  client_sent,
  client_got,
  backend_sent,
  backend_got,
  balancer_to_client,
  balancer_to_backend,
};

class Trace {
 public:
  explicit Trace(unsigned capacity_log2 = 19)
      : mask_((size_t{1} << capacity_log2) - 1), records_(mask_ + 1) {}

  void note(TimeUs now, Place place, const Segment& segment, ConnectionId connection);

  // The packets of `connection`, and those of others on the same tuple.
  void print(std::FILE* file, ConnectionId connection, const Tuple* tuple) const;

 private:
  struct Record {
    TimeUs at;
    Address source, destination;
    uint32_t seq, ack, tsval, tsecr;
    SackBlock sack;
    ConnectionId connection;
    uint16_t payload_size;
    uint8_t flags;
    Place place;
    bool has_timestamps;
    bool has_sack;
  };

  static void print(std::FILE* file, const Record& record);

  size_t mask_;
  size_t count_ = 0;
  std::vector<Record> records_;
};

}  // namespace sluice::sim
