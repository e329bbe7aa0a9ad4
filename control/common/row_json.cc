// SPDX-License-Identifier: BSD-3-Clause
// One field of each type, to JSON and back.
#include "control/common/row_json.h"

#include "control/common/api_answer.h"
#include "control/common/row_aliases.h"

namespace sluice::control {
namespace {

using nlohmann::json;

constexpr const char* kPerSecond = "_per_s";
constexpr const char* kRecent = "_recent";
constexpr const char* kTrend = "_trend";

void put_named(json& row, const char* name, const char* suffix, const json& value) {
  row[std::string(name) + suffix] = value;
  if (const char* old = old_name_of(name)) row[std::string(old) + suffix] = value;
}

// An older sluice has it under the old name; null where there is neither.
const json& find_named(const json& row, const char* name, const char* suffix = "") {
  const json& value = field(row, (std::string(name) + suffix).c_str());
  const char* old = value.is_null() ? old_name_of(name) : nullptr;
  return old == nullptr ? value : field(row, (std::string(old) + suffix).c_str());
}

// What is negative, too large or no number at all counts nothing.
std::optional<uint64_t> count_of(const json& value) {
  if (value.is_number_unsigned()) return value.get<uint64_t>();
  constexpr double kBeyond = 18446744073709551616.0;  // 2^64
  const double number = value.is_number() ? value.get<double>() : -1;
  if (!(number >= 0 && number < kBeyond)) return std::nullopt;
  return static_cast<uint64_t>(number);
}

template <class T>
json json_or_null(const std::optional<T>& value) {
  return value ? json(*value) : json();
}

// null is a value of such a field.
template <class T, class Read>
bool read_optional(const json& row, const char* name, std::optional<T>& value, Read&& read) {
  const json& found = find_named(row, name);
  if (found.is_null()) return row.is_object() && row.contains(name);
  return read(found, value);
}

}  // namespace

void put_field(json& row, const char* name, Flag value) {
  put_named(row, name, "", value);
}
void put_field(json& row, const char* name, Whole value) {
  put_named(row, name, "", value);
}
void put_field(json& row, const char* name, Signed value) {
  put_named(row, name, "", value);
}
void put_field(json& row, const char* name, Number value) {
  put_named(row, name, "", value);
}
void put_field(json& row, const char* name, const String& value) {
  put_named(row, name, "", value);
}
void put_field(json& row, const char* name, const OptWhole& value) {
  put_named(row, name, "", json_or_null(value));
}
void put_field(json& row, const char* name, const OptNumber& value) {
  put_named(row, name, "", json_or_null(value));
}
void put_field(json& row, const char* name, const OptString& value) {
  put_named(row, name, "", json_or_null(value));
}
void put_field(json& row, const char* name, const Watched& value) {
  put_named(row, name, "", value.total);
  if (!value.per_s) return;
  put_named(row, name, kPerSecond, *value.per_s);
  put_named(row, name, kRecent, value.recent);
}
void put_field(json& row, const char* name, const Trended& value) {
  put_named(row, name, "", value.value);
  if (value.trend) put_named(row, name, kTrend, *value.trend);
}
void put_field(json& row, const char* name, Severity value) {
  row[name] = to_string(value);
  if (const char* old = old_name_of(name)) row[old] = old_word(value);
}
void put_field(json& row, const char* name, const Buckets& value) {
  put_named(row, name, "", value);
}
void put_field(json& row, const char* name, const NamedCounts& value) {
  put_named(row, name, "", json(value));
}

bool read_field(const json& row, const char* name, Flag& value) {
  const json& found = find_named(row, name);
  if (found.is_boolean()) value = found.get<bool>();
  return found.is_boolean();
}

bool read_field(const json& row, const char* name, Whole& value) {
  const auto found = count_of(find_named(row, name));
  if (found) value = *found;
  return found.has_value();
}

bool read_field(const json& row, const char* name, Signed& value) {
  const json& found = find_named(row, name);
  if (!found.is_number_integer()) return false;
  if (found.is_number_unsigned() && found.get<uint64_t>() > INT64_MAX) return false;
  value = found.get<int64_t>();
  return true;
}

bool read_field(const json& row, const char* name, Number& value) {
  const json& found = find_named(row, name);
  if (found.is_number()) value = found.get<double>();
  return found.is_number();
}

bool read_field(const json& row, const char* name, String& value) {
  const json& found = find_named(row, name);
  if (!found.is_string()) return false;
  value = shown(found);
  return true;
}

bool read_field(const json& row, const char* name, OptWhole& value) {
  return read_optional(row, name, value, [](const json& found, OptWhole& out) {
    if (const auto count = count_of(found)) out = count;
    return out.has_value();
  });
}

bool read_field(const json& row, const char* name, OptNumber& value) {
  return read_optional(row, name, value, [](const json& found, OptNumber& out) {
    if (found.is_number()) out = found.get<double>();
    return found.is_number();
  });
}

bool read_field(const json& row, const char* name, OptString& value) {
  return read_optional(row, name, value, [](const json& found, OptString& out) {
    if (found.is_string()) out = shown(found);
    return found.is_string();
  });
}

bool read_field(const json& row, const char* name, Watched& value) {
  const json& per_s = find_named(row, name, kPerSecond);
  if (per_s.is_number()) value.per_s = per_s.get<double>();
  if (const auto recent = count_of(find_named(row, name, kRecent))) value.recent = *recent;
  return read_field(row, name, value.total);
}

bool read_field(const json& row, const char* name, Trended& value) {
  const json& trend = find_named(row, name, kTrend);
  if (trend.is_number()) value.trend = trend.get<double>();
  return read_field(row, name, value.value);
}

bool read_field(const json& row, const char* name, Severity& value) {
  const auto found = severity_named(text_field(row, name));
  const char* old = found ? nullptr : old_name_of(name);
  const auto known = old == nullptr ? found : severity_named(text_field(row, old));
  if (known) value = *known;
  return known.has_value();
}

bool read_field(const json& row, const char* name, Buckets& value) {
  const json& found = find_named(row, name);
  if (!found.is_array()) return false;
  for (const json& count : found) value.push_back(count_of(count).value_or(0));
  return true;
}

bool read_field(const json& row, const char* name, NamedCounts& value) {
  const json& found = find_named(row, name);
  if (!found.is_object()) return false;
  for (const auto& [key, count] : found.items()) value[shown(key)] = count_of(count).value_or(0);
  return true;
}

}  // namespace sluice::control
