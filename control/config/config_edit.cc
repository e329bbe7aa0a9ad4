// SPDX-License-Identifier: BSD-3-Clause
// Places in the text, and what is put there.
#include "control/config/config_edit.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "control/config/config_load.h"
#include "control/config/toml_recovery.h"

namespace sluice::control {
namespace {

struct Edit {
  size_t offset;
  size_t length;
  std::string replacement;
};

struct Span {
  size_t begin;
  size_t end;
};

// toml11 counts lines and columns from 1, columns in bytes.
Span span_of(const std::string& text, const toml::value& value) {
  const auto location = value.location();
  size_t begin = 0;
  for (uint32_t line = 1; line < location.line(); ++line) begin = text.find('\n', begin) + 1;
  begin += location.column() - 1;
  return {begin, begin + location.region()};
}

size_t line_begin(const std::string& text, size_t offset) {
  const size_t newline = offset == 0 ? text.npos : text.rfind('\n', offset - 1);
  return newline == text.npos ? 0 : newline + 1;
}

// A line of its own under the address: with its indentation and its kind of line end.
Edit new_line(const std::string& text, Span address, uint32_t weight) {
  const size_t begin = line_begin(text, address.begin);
  const size_t indentation = text.find_first_not_of(" \t", begin) - begin;
  const std::string key = text.substr(begin, indentation) + fmt::format("weight = {}", weight);
  const size_t end = text.find('\n', address.end);
  if (end == text.npos) return {text.size(), 0, "\n" + key};
  return {end + 1, 0, key + (text[end - 1] == '\r' ? "\r\n" : "\n")};
}

Edit edit_of(const std::string& text, const toml::value& backend, uint32_t weight) {
  if (backend.contains("weight")) {
    const Span old = span_of(text, backend.at("weight"));
    return {old.begin, old.end - old.begin, std::to_string(weight)};
  }
  const Span address = span_of(text, backend.at("address"));
  const bool is_inline = text.at(span_of(text, backend).begin) == '{';
  if (is_inline) return {address.end, 0, fmt::format(", weight = {}", weight)};
  return new_line(text, address, weight);
}

}  // namespace

std::string edit_weights(const std::string& text, const Config& wanted) {
  const LoadedConfig before = parse_config(text);
  Problems problems;
  const auto root = parse_toml(text, problems);
  if (!before.ok() || !root || before.config.services.size() != wanted.services.size()) {
    throw EditError("the text is not the configuration that is in force");
  }
  std::vector<Edit> edits;
  try {
    for (size_t s = 0; s < wanted.services.size(); ++s) {
      const auto& now = before.config.services[s].backends;
      const auto& next = wanted.services[s].backends;
      const toml::value& service = root->at("service").as_array().at(s);
      for (size_t b = 0; b < next.size(); ++b) {
        if (now.at(b).weight == next[b].weight) continue;
        const toml::value& backend = service.at("backend").as_array().at(b);
        edits.push_back(edit_of(text, backend, next[b].weight));
      }
    }
    std::ranges::sort(edits, std::greater{}, &Edit::offset);
    std::string edited = text;
    for (const Edit& edit : edits) edited.replace(edit.offset, edit.length, edit.replacement);
    const LoadedConfig after = parse_config(edited);
    if (after.ok() && after.config == wanted) return edited;
  } catch (const std::out_of_range&) {
    // A place that is not in the text, or a backend that is not there: as below.
  }
  throw EditError("the weights cannot be put into this text; set them by hand, then reload");
}

}  // namespace sluice::control
