// SPDX-License-Identifier: BSD-3-Clause
// The UDP simulation's program: each scenario once, from one seed.
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>

#include "tests/simulation/udp_world.h"

namespace sluice::sim {
namespace {

constexpr UdpScenario kScenarios[] = {
    {.name = "calm", .loss_ppm = 0, .copies_ppm = 0},
    {.name = "lossy", .reloads = true},
    {.name = "flood", .spoofed_per_ms = 4},
    {.name = "flood-answered", .spoofed_per_ms = 4, .flood_is_answered = true},
    {.name = "flood-reload", .spoofed_per_ms = 2, .reloads = true},
};

int simulate(uint64_t seed, uint32_t queries, const std::string& only, const std::string& expect) {
  for (const UdpScenario& scenario : kScenarios) {
    if (!only.empty() && only != scenario.name) continue;
    UdpWorld world(scenario, seed);
    const auto violation = world.run(queries);
    world.print();
    if (!violation) continue;
    std::printf("VIOLATION of '%s': %s\nreplay: --seed %llu --scenario %s --queries %u\n",
                violation->first.c_str(), violation->second.c_str(),
                static_cast<unsigned long long>(seed), scenario.name, queries);
    return violation->first == expect ? 0 : 1;
  }
  if (!expect.empty()) std::printf("expected a violation of '%s'\n", expect.c_str());
  return expect.empty() ? 0 : 1;
}

}  // namespace
}  // namespace sluice::sim

int main(int argc, char** argv) {
  uint64_t seed = std::random_device{}();
  uint32_t queries = 6000;
  std::string only, expect;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    if (name == "--seed") seed = std::strtoull(argv[i + 1], nullptr, 0);
    if (name == "--queries") queries = static_cast<uint32_t>(std::strtoul(argv[i + 1], nullptr, 0));
    if (name == "--scenario") only = argv[i + 1];
    if (name == "--expect") expect = argv[i + 1];
  }
  return sluice::sim::simulate(seed, queries, only, expect);
}
