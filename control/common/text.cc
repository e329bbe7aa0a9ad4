// SPDX-License-Identifier: BSD-3-Clause
// UTF-8, as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF.
#include "control/common/text.h"

#include <cstdint>

namespace sluice::control {
namespace {

struct Lead {
  size_t following;
  uint32_t bits;
  uint32_t smallest;  // code point that needs that many bytes
};

bool read_lead(uint8_t byte, Lead& lead) {
  if (byte < 0x80) {
    lead = {0, byte, 0};
  } else if ((byte & 0xe0) == 0xc0) {
    lead = {1, byte & 0x1fu, 0x80};
  } else if ((byte & 0xf0) == 0xe0) {
    lead = {2, byte & 0x0fu, 0x800};
  } else if ((byte & 0xf8) == 0xf0) {
    lead = {3, byte & 0x07u, 0x10000};
  } else {
    return false;
  }
  return true;
}

}  // namespace

bool is_utf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    Lead lead{};
    if (!read_lead(static_cast<uint8_t>(text[i++]), lead)) return false;
    uint32_t code = lead.bits;
    for (size_t n = 0; n < lead.following; ++n, ++i) {
      if (i == text.size() || (static_cast<uint8_t>(text[i]) & 0xc0) != 0x80) return false;
      code = code << 6 | (static_cast<uint8_t>(text[i]) & 0x3fu);
    }
    if (code < lead.smallest || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return false;
  }
  return true;
}

}  // namespace sluice::control
