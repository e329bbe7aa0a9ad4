// SPDX-License-Identifier: BSD-3-Clause
// core-bench: one case of the in-process benches, for scripts/bench. One case a process, so that
// each begins with memory that nothing has touched.
#include <rte_cycles.h>
#include <rte_eal.h>
#include <sys/resource.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "tests/bench/cases.h"

namespace {

using namespace sluice::bench;  // NOLINT: main wires all of it

struct Case {
  std::string_view name;
  void (*run)(const Options&);
};

void lives_free(const Options& options) {
  lives(options, false);
}
void lives_reuse(const Options& options) {
  lives(options, true);
}
void tsc(const Options&) {
  std::printf("%" PRIu64 "\n", rte_get_tsc_hz());
}

constexpr Case kCases[] = {
    {"established", established},
    {"altered", adjusted},
    {"udp", udp},
    {"udp_one_shot", udp_one_shot},
    {"new_flows", new_flows},
    {"lives", lives_free},
    {"lives_reuse", lives_reuse},
    {"attack", attack},
    {"kernel", kernel},
    {"memory", memory},
    {"counted", counted},
    {"reload", reload},
    {"scaling", scaling},
    {"routes", routes},
    {"neighbours", neighbours},
    {"toeplitz", toeplitz},
    {"tsc", tsc},
};

int usage() {
  std::string text =
      "usage: core-bench CASE [--flows N] [--rounds N] [--zipf] [--timestamps] [--core N]\n"
      "                  [--memory MB] [--huge] [--flow-index rte_hash|compact|both]\n"
      "                  [--families 44,66,64,46]\n"
      "cases:";
  for (const Case& one : kCases) text.append(" ").append(one.name);
  std::fprintf(stderr, "%s\n", text.c_str());
  return 2;
}

struct Arguments {
  const Case* bench = nullptr;
  Options options;
  std::string core = "0";
  std::string memory_mb = "512";
  bool huge = false;
};

bool set_flow_index(std::string_view name, Options& options) {
  options.both_indices = name == "both";
  if (name == "compact") options.flow_index = sluice::FlowIndexKind::kCompact;
  return name == "both" || name == "compact" || name == "rte_hash";
}

/// Those of clients and backends, by commas.
std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> words(1);
  for (const char c : list) {
    if (c == ',') {
      words.emplace_back();
    } else {
      words.back().push_back(c);
    }
  }
  return words;
}

bool parse(int argc, char** argv, Arguments& arguments) {
  if (argc < 2) return false;
  arguments.bench = std::ranges::find(kCases, std::string_view(argv[1]), &Case::name);
  if (arguments.bench == std::end(kCases)) return false;
  for (int i = 2; i < argc; ++i) {
    const std::string_view word = argv[i];
    const auto number = [&] { return ++i < argc ? argv[i] : ""; };
    if (word == "--flows") {
      arguments.options.flows = static_cast<uint32_t>(std::strtoul(number(), nullptr, 10));
    } else if (word == "--rounds") {
      arguments.options.rounds = static_cast<uint32_t>(std::strtoul(number(), nullptr, 10));
    } else if (word == "--core") {
      arguments.core = number();
    } else if (word == "--memory") {
      arguments.memory_mb = number();
    } else if (word == "--flow-index") {
      if (!set_flow_index(number(), arguments.options)) return false;
    } else if (word == "--families") {
      arguments.options.families = split(number());
    } else if (word == "--zipf") {
      arguments.options.zipf = true;
    } else if (word == "--timestamps") {
      arguments.options.timestamps = true;
    } else if (word == "--huge") {
      arguments.huge = true;
    } else {
      return false;
    }
  }
  return arguments.options.flows > 0 && arguments.options.rounds > 0;
}

bool start(const Arguments& arguments) {
  std::vector<std::string> words = {"core-bench",    "--no-pci", "--no-telemetry",
                                    "--log-level=1", "-l",       arguments.core};
  if (arguments.huge) {
    words.push_back("--in-memory");
  } else {
    words.insert(words.end(), {"--no-huge", "--no-shconf", "-m", arguments.memory_mb});
  }
  static std::vector<char*> argv;
  static std::vector<std::string> kept;
  kept = std::move(words);
  for (std::string& word : kept) argv.push_back(word.data());
  return rte_eal_init(static_cast<int>(argv.size()), argv.data()) >= 0;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (!parse(argc, argv, arguments)) return usage();
  static_cast<void>(setpriority(PRIO_PROCESS, 0, -20));  // as a worker does
  if (!start(arguments)) {
    std::fprintf(stderr, "core-bench: EAL does not start\n");
    return 1;
  }
  arguments.bench->run(arguments.options);
  rte_eal_cleanup();
  return 0;
}
