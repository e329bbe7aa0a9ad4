// SPDX-License-Identifier: BSD-3-Clause
// setsockopt() as drivers see it.
#include "dataplane/port/fanout.h"

#include <linux/if_packet.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

namespace sluice {

int fanout_without_reassembly(int argument) {
  return argument & ~(PACKET_FANOUT_FLAG_DEFRAG << 16);
}

void replace_setsockopt() {}

}  // namespace sluice

extern "C" [[gnu::visibility("default")]] int setsockopt(int fd, int level, int name,
                                                         const void* value,
                                                         socklen_t length) noexcept {
  int fanout = 0;
  if (level == SOL_PACKET && name == PACKET_FANOUT && length == sizeof fanout) {
    std::memcpy(&fanout, value, sizeof fanout);
    fanout = sluice::fanout_without_reassembly(fanout);
    value = &fanout;
  }
  return static_cast<int>(syscall(SYS_setsockopt, fd, level, name, value, length));
}
