// SPDX-License-Identifier: BSD-3-Clause
// How far the PROXY header of a flow has come. It stands beside the flow, by its index, once a
// service sends such headers.
//
// What the header says is not kept: it follows from the flow and from the form that `form` names,
// and is written again whenever it has to be sent again.
#pragma once

#include <cstdint>
#include <type_traits>

namespace sluice {

struct ProxyTrack {
  enum class Step : uint8_t {
    kNone,   // the flow sends none
    kDue,    // the client's handshake is not done
    kSent,   // and not all of it is acknowledged
    kAcked,  // late segments may still be about it
    kPast,
  };
  static constexpr uint32_t kRetryMs = 250;  // doubled each time
  static constexpr uint8_t kTriesMax = 7;    // the last after 16 s, and the end after 32

  uint32_t tsecr = 0;    // what its client has echoed last
  uint32_t sent_ms = 0;  // when it was sent last
  uint16_t length = 0;
  uint16_t mss = 0;   // the backend's, 536 where it says none (RFC 9293, section 3.7.1)
  uint16_t form = 0;  // of Snapshot::proxy_forms
  Step step = Step::kNone;
  uint8_t tries = 0;

  uint32_t retry_ms() const { return kRetryMs << (tries > 0 ? tries - 1 : 0); }
};
static_assert(sizeof(ProxyTrack) == 16 && std::is_trivially_copyable_v<ProxyTrack>);

}  // namespace sluice
