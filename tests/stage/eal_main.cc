// SPDX-License-Identifier: BSD-3-Clause
// One EAL for all tests of an executable.
#include <gtest/gtest.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <sched.h>

#include <cstdio>
#include <iterator>

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  cpu_set_t allowed;
  sched_getaffinity(0, sizeof allowed, &allowed);
  const char* arguments[] = {
      "test", "--no-huge", "--no-pci", "--no-shconf", "--no-telemetry",
      "-m",   "256",       "-l",       "0",           "--log-level=critical"};
  char* eal_argv[std::size(arguments)];
  for (size_t i = 0; i < std::size(arguments); ++i) eal_argv[i] = const_cast<char*>(arguments[i]);
  if (rte_eal_init(static_cast<int>(std::size(arguments)), eal_argv) < 0) {
    std::fprintf(stderr, "EAL: %s\n", rte_strerror(rte_errno));
    return 2;
  }
  // Which has pinned us to a CPU that several executables side by side would share.
  sched_setaffinity(0, sizeof allowed, &allowed);
  const int result = RUN_ALL_TESTS();
  rte_eal_cleanup();
  return result;
}
