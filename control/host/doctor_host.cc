// SPDX-License-Identifier: BSD-3-Clause
// Memory and CPUs.
#include "control/host/doctor_host.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "control/common/text.h"
#include "control/host/host_files.h"

namespace sluice::control {
namespace {

namespace fs = std::filesystem;

struct Pages {
  uint64_t size_kb = 0;
  uint64_t all_mb = 0;
  uint64_t free_mb = 0;
};

uint64_t number_in(const fs::path& file) {
  uint64_t number = 0;
  std::ifstream(file) >> number;
  return number;
}

// Of the page size with the most memory, in `folder`/hugepages-*.
Pages most_pages(const fs::path& folder) {
  Pages most;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename();
    Pages pages;
    if (std::sscanf(name.c_str(), "hugepages-%lukB", &pages.size_kb) != 1) continue;
    pages.all_mb = number_in(entry.path() / "nr_hugepages") * pages.size_kb / 1024;
    pages.free_mb = number_in(entry.path() / "free_hugepages") * pages.size_kb / 1024;
    if (pages.all_mb >= most.all_mb) most = pages;
  }
  return most;
}

std::string kernel_words(uint32_t lcore) {
  return fmt::format(
      "on the kernel's command line: isolcpus={0} nohz_full={0} rcu_nocbs={0}; then reboot", lcore);
}

void examine_lcore(uint32_t lcore, const std::set<uint32_t>& isolated, const fs::path& sys,
                   std::vector<Diagnosis>& found) {
  const fs::path cpu = sys / "devices/system/cpu" / fmt::format("cpu{}", lcore);
  if (!fs::exists(cpu)) {
    found.push_back({"cpus", Severity::kCritical,
                     fmt::format("there is no CPU {} for a worker", lcore),
                     "choose eal.worker_lcores among the CPUs of lscpu -e"});
    return;
  }
  if (!isolated.contains(lcore)) {
    found.push_back(
        {"cpus", Severity::kWarning,
         fmt::format("CPU {} is not isolated: the kernel and others run on it too, packets "
                     "wait for them, and Sluice asks for no priority over them",
                     lcore),
         kernel_words(lcore)});
  }
  const std::string governor = first_line(cpu / "cpufreq/scaling_governor");
  if (!governor.empty() && governor != "performance") {
    found.push_back({"cpus", Severity::kWarning,
                     fmt::format("CPU {} has the frequency governor \"{}\"", lcore, governor),
                     fmt::format("cpupower -c {} frequency-set -g performance", lcore)});
  }
}

// A machine with few CPUs, or one to try it on.
void examine_sharing(const Config& config, std::vector<Diagnosis>& found) {
  const auto& workers = config.eal.worker_lcores;
  if (std::ranges::find(workers, config.eal.main_lcore) == workers.end()) return;
  const bool sleeps = config.eal.idle == IdleMode::kSleep;
  found.push_back(
      {"cpus", Severity::kWarning,
       fmt::format("CPU {} is a worker's and the control thread's: each waits for the "
                   "other",
                   config.eal.main_lcore),
       fmt::format("another eal.main_lcore{}", sleeps ? "" : ", or [eal] idle = \"sleep\"")});
}

// Two hardware threads of a core share it: each gets little more than half.
void examine_siblings(const Config& config, const fs::path& sys, std::vector<Diagnosis>& found) {
  std::set<uint32_t> ours(config.eal.worker_lcores.begin(), config.eal.worker_lcores.end());
  ours.insert(config.eal.main_lcore);
  for (const uint32_t lcore : config.eal.worker_lcores) {
    const auto outliers =
        parse_cpu_list(first_line(sys / "devices/system/cpu" / fmt::format("cpu{}", lcore) /
                                  "topology/thread_siblings_list"));
    for (const uint32_t other : outliers) {
      if (other == lcore || !ours.contains(other)) continue;
      if (other < lcore && other != config.eal.main_lcore) continue;  // said already
      found.push_back({"cpus", Severity::kWarning,
                       fmt::format("CPUs {} and {} are two threads of one core", lcore, other),
                       "choose lcores of different cores: lscpu -e"});
    }
  }
}

}  // namespace

uint32_t node_of_cpu(uint32_t cpu, const fs::path& sys) {
  const auto nodes = parse_cpu_list(first_line(sys / "devices/system/node/online"));
  for (const uint32_t node : nodes) {
    const auto cpus = parse_cpu_list(
        first_line(sys / "devices/system/node" / fmt::format("node{}", node) / "cpulist"));
    if (cpus.contains(cpu)) return node;
  }
  return 0;
}

std::vector<Diagnosis> examine_memory(const Config& config, const fs::path& sys) {
  const uint32_t wanted_mb = config.eal.memory_mb;
  if (!config.eal.hugepages) {
    return {{"hugepages", Severity::kWarning,
             "eal.hugepages = false: tables lie in small pages, and each "
             "look-up may miss the TLB",
             "set eal.hugepages = true, and reserve pages"}};
  }
  const Pages pages = most_pages(sys / "kernel/mm/hugepages");
  const uint64_t size_kb = pages.all_mb == 0 ? 2048 : pages.size_kb;
  const uint64_t needed = (uint64_t{wanted_mb} * 1024 + size_kb - 1) / size_kb;
  const std::string reserve =
      size_kb == 2048 ? fmt::format("sysctl -w vm.nr_hugepages={}", needed)
                      : fmt::format("on the kernel's command line: hugepagesz={}K hugepages={}",
                                    size_kb, needed);
  if (pages.all_mb < wanted_mb) {
    return {{"hugepages", Severity::kWarning,
             fmt::format("{} MB are reserved, eal.memory_mb is {}: sluice runs without",
                         pages.all_mb, wanted_mb),
             reserve}};
  }
  std::vector<Diagnosis> found = {
      {"hugepages", Severity::kOk,
       fmt::format("{} MB reserved in pages of {} kB, {} MB free; eal.memory_mb is {}",
                   pages.all_mb, size_kb, pages.free_mb, wanted_mb),
       ""}};
  // A worker's tables come from its own node.
  std::set<uint32_t> nodes;
  for (const uint32_t lcore : config.eal.worker_lcores) nodes.insert(node_of_cpu(lcore, sys));
  for (const uint32_t node : nodes) {
    const fs::path folder = sys / "devices/system/node" / fmt::format("node{}", node) / "hugepages";
    if (!fs::exists(folder) || most_pages(folder).all_mb > 0) continue;
    found.push_back(
        {"hugepages", Severity::kCritical,
         fmt::format("workers run on NUMA node {}, and it has no hugepages", node),
         fmt::format("echo {} > {}", needed, (folder / "hugepages-2048kB/nr_hugepages").string())});
  }
  return found;
}

std::vector<Diagnosis> examine_cpus(const Config& config, const fs::path& sys) {
  std::vector<Diagnosis> found;
  const auto isolated = isolated_cpus(sys);
  for (const uint32_t lcore : config.eal.worker_lcores) {
    examine_lcore(lcore, isolated, sys, found);
  }
  examine_sharing(config, found);
  examine_siblings(config, sys, found);
  if (found.empty()) {
    found.push_back({"cpus", Severity::kOk,
                     fmt::format("{} worker CPUs, isolated", config.eal.worker_lcores.size()), ""});
  }
  return found;
}

}  // namespace sluice::control
