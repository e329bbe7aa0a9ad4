// SPDX-License-Identifier: BSD-3-Clause
// Asks a worker what it knows of the next hops towards some destinations.
#pragma once

#include <vector>

#include "dataplane/worker/worker_call.h"

namespace sluice {

class FindNeighbours : public WorkerCall {
 public:
  struct Answer {
    net::IpAddress destination{};
    bool routed = false;
    net::IpAddress next_hop{};  // the destination itself, or its gateway
    uint16_t interface = 0;
    Neighbour::State state = Neighbour::State::kFree;  // kFree: never asked, or forgotten
    net::MacAddress mac{};
  };

  explicit FindNeighbours(const std::vector<net::IpAddress>& destinations);
  bool step(Core& core) override;
  const std::vector<Answer>& answers() const { return answers_; }

 private:
  std::vector<Answer> answers_;
  size_t cursor_ = 0;
};

}  // namespace sluice
