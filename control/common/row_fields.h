// SPDX-License-Identifier: BSD-3-Clause
// How a row of the status is declared: one list of fields makes the struct and what is known of it.
//
// A list is a macro, SLUICE_THING_FIELDS(FIELD), with a line for each field:
//
//   FIELD(String, name, kName, kShow, "as configured")
//   FIELD(Watched, packets, kCounter, kShow, "packets forwarded")
//
// SLUICE_ROW(ThingRow, SLUICE_THING_FIELDS) makes ThingRow of it, with the members `name` and
// `packets`. FieldsOf<ThingRow>::kList says of each its name in JSON, its member, its kind, where
// it is shown and what it means. JSON (row_json.h), tables, metrics and rates are made from this
// list, by members: a field that is missing or misspelt does not compile.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "control/common/severity.h"

namespace sluice::control {

// A counter of which somebody asks how fast it grows. In JSON `x`, `x_per_s` and `x_recent`.
struct Watched {
  uint64_t total = 0;
  std::optional<double> per_s;  // over the last second; nothing where no sample was taken
  uint64_t recent = 0;          // over the last ten

  bool operator==(const Watched&) const = default;
};

// A level that rises and falls. In JSON `x` and `x_trend`.
struct Trended {
  uint64_t value = 0;
  std::optional<double> trend;  // growth a second, by the last minute

  bool operator==(const Trended&) const = default;
};

// The types that a field may have.
using Flag = bool;
using Whole = uint64_t;
using Signed = int64_t;
using Number = double;
using String = std::string;
using OptWhole = std::optional<uint64_t>;
using OptNumber = std::optional<double>;
using OptString = std::optional<std::string>;
using Buckets = std::vector<uint64_t>;                // of a histogram
using NamedCounts = std::map<std::string, uint64_t>;  // by a state's or a driver's name

enum class FieldKind : uint8_t {
  kName,     // tells rows apart: with the other names it is a metric's labels
  kText,     // words
  kCounter,  // grows from the start on; a metric
  kGauge,    // rises and falls; a metric
  kFigure,   // a number for people and scripts, made from others or kept for their sake
};

// kShow: in `sluicectl show` and in the status. kStatus: in the status alone, which knows what was
// a second ago.
enum class FieldPlace : uint8_t { kShow, kStatus };

template <class Row>
using Member = std::variant<Flag Row::*, Whole Row::*, Signed Row::*, Number Row::*, String Row::*,
                            OptWhole Row::*, OptNumber Row::*, OptString Row::*, Watched Row::*,
                            Trended Row::*, Severity Row::*, Buckets Row::*, NamedCounts Row::*>;

template <class Row>
struct RowField {
  const char* name;
  Member<Row> member;
  FieldKind kind;
  FieldPlace place;
  const char* help;
};

template <class Row>
struct FieldsOf;  // kList: every field of a row, in order

// Calls visit(field, member) for each field.
template <class Row, class Visit>
void for_each_field(Visit&& visit) {
  for (const RowField<Row>& field : FieldsOf<Row>::kList) {
    std::visit([&](auto member) { visit(field, member); }, field.member);
  }
}

// Which of the list it is.
template <class Row>
constexpr size_t index_of(const Member<Row>& member) {
  size_t i = 0;
  while (FieldsOf<Row>::kList[i].member != member) ++i;
  return i;
}

}  // namespace sluice::control

#define SLUICE_ROW_MEMBER(type, name, kind, place, help) type name{};
#define SLUICE_ROW_FIELD(type, name, kind, place, help) \
  {#name, &Row::name, FieldKind::kind, FieldPlace::place, help},
#define SLUICE_ROW(RowType, FIELDS)                                          \
  struct RowType {                                                           \
    FIELDS(SLUICE_ROW_MEMBER)                                                \
  };                                                                         \
  template <>                                                                \
  struct FieldsOf<RowType> {                                                 \
    using Row = RowType;                                                     \
    static constexpr RowField<RowType> kList[] = {FIELDS(SLUICE_ROW_FIELD)}; \
  };
