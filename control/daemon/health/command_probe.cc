// SPDX-License-Identifier: BSD-3-Clause
// What a program is told, and what its end means.
#include "control/daemon/health/command_probe.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <system_error>

namespace sluice::control {
namespace {

std::vector<std::string> environment_of(const ProbeTarget& target) {
  const IpEndpoint to = target.checked();
  const char* path = std::getenv("PATH");
  return {fmt::format("PATH={}", path != nullptr ? path : "/usr/sbin:/usr/bin:/sbin:/bin"),
          fmt::format("SLUICE_SERVICE={}", target.service),
          fmt::format("SLUICE_BACKEND={}", to_string(target.backend)),
          fmt::format("SLUICE_ADDRESS={}", to_string(to.ip)),
          fmt::format("SLUICE_PORT={}", to.port.host()),
          fmt::format("SLUICE_SOURCE={}", to_string(target.source)),
          fmt::format("SLUICE_DEVICE={}", target.device),
          fmt::format("SLUICE_TIMEOUT_MS={}", target.check.timeout.count())};
}

// Its first line, without what would disturb a terminal.
std::string line_of(const std::string& said) {
  std::string line = said.substr(0, said.find_first_of("\r\n"));
  std::erase_if(line, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  return line;
}

ProbeResult judge(const CommandRunner::End& end) {
  if (end.exited && end.status == 0) return ProbeResult::good();
  const std::string line = line_of(end.said);
  return ProbeResult::bad(fmt::format("{} {}{}", end.exited ? "exit status" : "signal", end.status,
                                      line.empty() ? "" : ": " + line));
}

}  // namespace

void CommandProbe::start(Done done) {
  try {
    pid_ = runner_.start(target_.check.command, environment_of(target_),
                         [this, done](const CommandRunner::End& end) {
                           pid_ = 0;
                           done(judge(end));
                         });
  } catch (const std::system_error& error) {
    done(ProbeResult::none(error.what()));
  }
}

std::string CommandProbe::give_up() {
  runner_.kill(pid_);
  pid_ = 0;
  return "the command did not end in time";
}

}  // namespace sluice::control
