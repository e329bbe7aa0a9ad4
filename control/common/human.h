// SPDX-License-Identifier: BSD-3-Clause
// Numbers as a person reads them.
#pragma once

#include <string>

namespace sluice::control {

std::string with_commas(double value);    // 12345678 -> "12,345,678"
std::string human_count(double value);    // 1234 -> "1,234"; 12345678 -> "12.3M"
std::string human_bytes(double value);    // 1536 -> "1.5K": a K is 1024
std::string human_bits(double value);     // 1500 -> "1.5K": a K is 1000
std::string human_ms(double value);       // 61500 -> "1m01s"
std::string human_fine_ms(double value);  // the same with hundredths below 10 ms: "0.75ms"

}  // namespace sluice::control
