// SPDX-License-Identifier: BSD-3-Clause
// Bytes as text, and text as bytes.
#include "control/common/text.h"

#include <gtest/gtest.h>

namespace sluice::control {
namespace {

TEST(Text, HexadecimalDigitsAreBytes) {
  EXPECT_EQ(parse_hex("00ff"), std::string("\x00\xff", 2));
  EXPECT_EQ(parse_hex(" 0A 0b0C "), "\x0a\x0b\x0c");
  EXPECT_EQ(parse_hex(""), "");
  for (const char* wrong : {"0", "0 a", "0x00", "0g", "000", "00\n", "\xc3\xa4"}) {
    EXPECT_EQ(parse_hex(wrong), std::nullopt) << wrong;
  }
}

TEST(Text, WhatATerminalMayNotSeeIsEscaped) {
  EXPECT_EQ(printable("a \"b\""), "\"a \"b\"\"");
  EXPECT_EQ(printable("\x1b[2J\r\n\x7f\xff"), "\"\\x1b[2J\\x0d\\x0a\\x7f\\xff\"");
  EXPECT_EQ(printable(std::string(41, 'a')), "\"" + std::string(40, 'a') + "...\"");
}

}  // namespace
}  // namespace sluice::control
