// SPDX-License-Identifier: BSD-3-Clause
// A table of numbers, and a look for firmware.
#include "control/host/device_needs.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "control/host/host_files.h"

namespace sluice::control {
namespace {

namespace fs = std::filesystem;

enum class Family : uint8_t { kIce, kEna, kGve, kMana };

struct Numbers {
  uint32_t vendor, first, last;
  Family family;
};
constexpr Numbers kNumbers[] = {
    {0x8086, 0x1591, 0x159b, Family::kIce},  // E810
    {0x8086, 0x1888, 0x189a, Family::kIce},  // E822, E823
    {0x8086, 0x124c, 0x124f, Family::kIce},  {0x8086, 0x151d, 0x151d, Family::kIce},
    {0x1d0f, 0xec20, 0xec21, Family::kEna},  {0x1d0f, 0x0ec2, 0x0ec2, Family::kEna},
    {0x1d0f, 0x1ec2, 0x1ec2, Family::kEna},  {0x1ae0, 0x0042, 0x0042, Family::kGve},
    {0x1414, 0x00ba, 0x00ba, Family::kMana},
};

uint32_t hex_number_in(const fs::path& file) {
  return static_cast<uint32_t>(std::strtoul(first_line(file).c_str(), nullptr, 16));
}

bool has_ddp_package(const fs::path& sys) {
  const fs::path firmware = sys.parent_path() / "lib/firmware";
  for (const fs::path& folder : {firmware / "updates", firmware}) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder / "intel/ice/ddp", error)) {
      if (entry.path().filename().string().starts_with("ice")) return true;
    }
  }
  return false;
}

void add(std::vector<Diagnosis>& found, Severity severity, std::string what, std::string remedy) {
  found.push_back({"nic", severity, std::move(what), std::move(remedy)});
}

}  // namespace

std::vector<Diagnosis> examine_needs(const std::string& address, const fs::path& device,
                                     const fs::path& sys) {
  const uint32_t vendor = hex_number_in(device / "vendor"),
                 number = hex_number_in(device / "device");
  const auto known = std::ranges::find_if(kNumbers, [&](const Numbers& some) {
    return some.vendor == vendor && number >= some.first && number <= some.last;
  });
  std::vector<Diagnosis> found;
  if (known == std::end(kNumbers)) return found;
  switch (known->family) {
    case Family::kIce:
      if (has_ddp_package(sys)) break;
      add(found, Severity::kCritical,
          fmt::format("{}: an E800 without its DDP package: DPDK's driver refuses it", address),
          "apt install firmware-misc-nonfree; or one queue and no RSS: "
          "safe-mode-support=1 behind its address");
      break;
    case Family::kEna:
      add(found, Severity::kOk,
          fmt::format("{}: ENA takes no multicast, and may ignore the RSS key: docs/cloud.md",
                      address),
          "");
      break;
    case Family::kGve:
      add(found, Severity::kOk,
          fmt::format("{}: gVNIC takes no multicast, an MTU of 1460 and no RSS key: docs/cloud.md",
                      address),
          "");
      break;
    case Family::kMana:
      add(found, Severity::kWarning,
          fmt::format("{}: MANA needs Linux 6.2 and rdma-core 44", address), "docs/cloud.md");
      break;
  }
  return found;
}

}  // namespace sluice::control
