// SPDX-License-Identifier: BSD-3-Clause
// UTF-8, as RFC 3629 has it (no overlong forms, no surrogates, nothing above U+10FFFF), and bytes
// as text.
#include "control/common/text.h"

#include <fmt/format.h>

#include <cstdint>

namespace sluice::control {
namespace {

constexpr size_t kPrintableMax = 40;  // bytes

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

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
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

std::optional<std::string> parse_hex(std::string_view text) {
  std::string bytes;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ' ') continue;
    const int high = digit_of(text[i++]);
    const int low = i < text.size() ? digit_of(text[i]) : -1;
    if (high < 0 || low < 0) return std::nullopt;
    bytes += static_cast<char>(high << 4 | low);
  }
  return bytes;
}

std::string printable(std::string_view bytes) {
  std::string out = "\"";
  for (const char c : bytes.substr(0, kPrintableMax)) {
    if (c >= 0x20 && c < 0x7f) {
      out += c;
    } else {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  return out + (bytes.size() > kPrintableMax ? "...\"" : "\"");
}

}  // namespace sluice::control
