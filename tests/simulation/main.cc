// SPDX-License-Identifier: BSD-3-Clause
// The simulator's program: scenario after scenario, seed after seed, until the time is over.
#include <chrono>
#include <cinttypes>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>

#include "tests/families/families.h"
#include "tests/simulation/sluice_balancer.h"
#include "tests/simulation/stand_ins.h"
#include "tests/simulation/world.h"

namespace sluice::sim {
namespace {

struct Options {
  uint64_t seed = std::random_device{}();
  double minutes = 0;  // 0: each scenario once
  uint64_t connections = 100'000;
  std::string scenario;
  std::string balancer = "sluice";
  std::string expect;
};

void usage() {
  std::printf(
      "simulate [--seed N] [--minutes M] [--connections N] [--scenario NAME] [--balancer NAME]\n"
      "  --seed         replays the same run to the packet; a random one otherwise, printed\n"
      "  --minutes      goes on with the seeds that follow for so long; 0: every scenario once\n"
      "  --connections  of one run (100000)\n"
      "  --balancer     sluice | direct | nat (sluice)\n"
      "  --expect       succeeds only if this invariant is violated: for planted faults\n"
      "scenarios:\n");
  for (const Scenario& s : scenarios())
    std::printf("  %-16.*s %.*s\n", static_cast<int>(s.name.size()), s.name.data(),
                static_cast<int>(s.about.size()), s.about.data());
}

std::unique_ptr<Balancer> make(const Options& options, const Scenario& scenario, const Site& site,
                               Wire& wire, uint64_t seed) {
  if (options.balancer == "nat") return make_plain_nat(site, wire, seed);
  if (options.balancer == "direct") return make_direct_path(site, wire);
  return make_sluice(scenario, site, wire, seed);
}

void report(const Scenario& scenario, uint64_t seed, const Outcome& o, double seconds) {
  std::printf("%.*s: seed %" PRIu64
              ", %.1f s of virtual time in %.2f s, %.0f connections a minute\n",
              static_cast<int>(scenario.name.size()), scenario.name.data(), seed,
              static_cast<double>(o.virtual_time) / kSecond, seconds,
              60 * static_cast<double>(o.figures.started) / seconds);
  o.figures.print(stdout);
}

void report(const Violation& v, World& world) {
  std::printf("\nVIOLATION of '%s' at %.6f s, connection #%u: %s\n\n", v.invariant.c_str(),
              static_cast<double>(v.at) / kSecond, v.connection, v.detail.c_str());
  world.print_trace(stdout);
}

// The name of the invariant that was violated; empty when all went well.
std::string run_one(const Options& options, const Scenario& scenario, uint64_t seed) {
  const auto begin = std::chrono::steady_clock::now();
  World world(scenario, seed, [&](const Scenario& what, const Site& site, Wire& wire, uint64_t s) {
    return make(options, what, site, wire, s);
  });
  if (options.balancer == "nat") world.only_count();  // it is known to fail
  const Outcome outcome = world.run(options.connections);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  report(scenario, seed, outcome, took.count());
  std::fflush(stdout);
  if (!outcome.violation) return {};
  report(*outcome.violation, world);
  std::printf("\nreplay: --seed %" PRIu64 " --scenario %.*s --connections %" PRIu64
              " --balancer %s\n",
              seed, static_cast<int>(scenario.name.size()), scenario.name.data(),
              options.connections, options.balancer.c_str());
  return outcome.violation->invariant;
}

int judge(const Options& options, const std::string& violated) {
  if (options.expect.empty()) return violated.empty() ? 0 : 1;
  if (violated == options.expect) return 0;
  std::printf("\nexpected a violation of '%s'\n", options.expect.c_str());
  return 1;
}

int simulate(const Options& options) {
  const Scenario* only = find_scenario(options.scenario);
  if (!options.scenario.empty() && only == nullptr) {
    std::fprintf(stderr, "simulate: no scenario '%s'; --help lists them\n",
                 options.scenario.c_str());
    return 2;
  }
  const auto end =
      std::chrono::steady_clock::now() + std::chrono::duration<double>(60 * options.minutes);
  uint64_t seed = options.seed;
  do {
    for (const Scenario& s : only != nullptr ? std::span(only, 1) : scenarios()) {
      if (s.by_name_only && only == nullptr) continue;
      // IPv6 knows no link as narrow as theirs (RFC 8200, section 5).
      if (s.narrow() && test::families_of_run().any()) continue;
      const std::string violated = run_one(options, s, seed);
      if (!violated.empty()) return judge(options, violated);
    }
    seed++;
  } while (std::chrono::steady_clock::now() < end);
  return judge(options, {});
}

}  // namespace
}  // namespace sluice::sim

int main(int argc, char** argv) {
  sluice::sim::Options o;
  for (int i = 1; i < argc; i++) {
    const std::string name = argv[i];
    if (name == "--help" || i + 1 == argc) {
      sluice::sim::usage();
      return name == "--help" ? 0 : 2;
    }
    const char* value = argv[++i];
    if (name == "--seed")
      o.seed = std::strtoull(value, nullptr, 0);
    else if (name == "--minutes")
      o.minutes = std::strtod(value, nullptr);
    else if (name == "--connections")
      o.connections = std::strtoull(value, nullptr, 0);
    else if (name == "--scenario")
      o.scenario = value;
    else if (name == "--balancer")
      o.balancer = value;
    else if (name == "--expect")
      o.expect = value;
    else {
      sluice::sim::usage();
      return 2;
    }
  }
  return sluice::sim::simulate(o);
}
