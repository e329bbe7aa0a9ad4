// SPDX-License-Identifier: BSD-3-Clause
// Lengths, hexadecimal digits, and the words that ldns knows.
#include "control/config/datagram_kinds.h"

#include <fmt/format.h>

#include "control/common/text.h"
#include "control/config/dns_words.h"

namespace sluice::control {
namespace {

constexpr size_t kDatagramMax = 1400;  // bytes: it fits every link in one piece
constexpr size_t kDnsTextMax = 255;    // bytes: as long as a string in a TXT record

// The text of a value, where it has one that `keeps` lets pass.
Kind<std::string> text_that(std::string expected, bool (*keeps)(const std::string&, std::string&)) {
  return {std::move(expected),
          [=](const toml::value& value, std::string& why) -> std::optional<std::string> {
            if (!value.is_string() || is_unreadable(value)) return std::nullopt;
            const std::string& text = value.as_string().str;
            return keeps(text, why) ? std::optional(text) : std::nullopt;
          }};
}

bool is_of_length(const std::string& bytes, size_t length_max) {
  return !bytes.empty() && bytes.size() <= length_max;
}

}  // namespace

Kind<std::string> datagram_text() {
  return text_that(
      fmt::format("text of 1 to {} bytes", kDatagramMax),
      [](const std::string& text, std::string&) { return is_of_length(text, kDatagramMax); });
}

Kind<std::string> hex_bytes(size_t length_max) {
  return {fmt::format("hexadecimal digits of 1 to {} bytes", length_max),
          [length_max](const toml::value& value, std::string&) -> std::optional<std::string> {
            if (!value.is_string() || is_unreadable(value)) return std::nullopt;
            const auto bytes = parse_hex(value.as_string().str);
            return bytes && is_of_length(*bytes, length_max) ? bytes : std::nullopt;
          }};
}

Kind<std::string> datagram_hex() {
  return hex_bytes(kDatagramMax);
}

Kind<std::string> dns_name() {
  return text_that("a domain name", [](const std::string& name, std::string& why) {
    why = "labels of 1 to 63 bytes, at most 255 in all";
    return is_dns_name(name);
  });
}

Kind<std::string> dns_type() {
  return text_that(
      "a type of record that can be asked for, such as \"AAAA\"",
      [](const std::string& word, std::string&) { return dns_type_of(word).has_value(); });
}

Kind<std::string> dns_rcode() {
  return text_that("the code of an answer, such as \"NXDOMAIN\"",
                   [](const std::string& word, std::string& why) {
                     if (dns_rcode_of(word)) return true;
                     if (const auto near = nearest(word, dns_rcode_words())) {
                       why = fmt::format("the nearest is \"{}\"", *near);
                     }
                     return false;
                   });
}

Kind<std::string> dns_text() {
  return text_that(
      fmt::format("text of 1 to {} bytes", kDnsTextMax),
      [](const std::string& text, std::string&) { return is_of_length(text, kDnsTextMax); });
}

}  // namespace sluice::control
