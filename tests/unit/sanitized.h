// SPDX-License-Identifier: BSD-3-Clause
// What a test may leave out under sanitizers, where all takes ten times as long.
#pragma once

namespace sluice::test {

#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif
#else
inline constexpr bool kSanitized = false;
#endif

// How often to try at random: what is right is judged by all of `count`, without sanitizers;
// under them a tenth is enough to meet every path that memory is touched on.
constexpr int rounds(int count) {
  return kSanitized ? count / 10 : count;
}

}  // namespace sluice::test
