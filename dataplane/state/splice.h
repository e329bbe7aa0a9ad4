// SPDX-License-Identifier: BSD-3-Clause
// A flow whose client was answered by Sluice, with a SYN cookie, before its backend was asked: what
// lies between what the backend says and what the client hears. It stands beside the flow, by its
// index.
#pragma once

#include <cstdint>
#include <type_traits>

namespace sluice {

struct Splice {
  static constexpr uint32_t kRetryMs = 1000;  // RFC 6298, section 2; doubled each time
  static constexpr uint8_t kTriesMax = 5;     // the last after 15 s, and the end after 31

  uint32_t cookie = 0;       // the number of the SYN-ACK that the client got
  uint32_t sequence = 0;     // client's view = backend's view + this; of the backend's numbers
  uint32_t timestamp = 0;    // the same of its TSvals
  uint32_t tsval_first = 0;  // the backend's first TSval
  uint32_t sent_ms = 0;      // when its SYN was sent last
  uint8_t told_scale = 0;    // of the backend's window, as the client was told
  uint8_t client_scale = 0;  // of the client's, which is void where the backend has none
  uint8_t tries = 0;
  bool is_open = false;  // the backend has answered

  uint32_t retry_ms() const { return kRetryMs << (tries > 0 ? tries - 1 : 0); }
};
static_assert(sizeof(Splice) == 24 && std::is_trivially_copyable_v<Splice>);

}  // namespace sluice
