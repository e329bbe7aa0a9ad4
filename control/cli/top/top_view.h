// SPDX-License-Identifier: BSD-3-Clause
// What `sluicectl top` is drawn with: its tables, and text with a style.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::control {

enum class Style : uint8_t { kPlain, kDim, kStrong, kGood, kWarn, kBad, kHead };

struct Span {
  std::string text;
  Style style = Style::kPlain;
};
using ScreenLine = std::vector<Span>;

enum class TopView : uint8_t { kBackends, kServices, kPorts, kWorkers, kDrops };

}  // namespace sluice::control
