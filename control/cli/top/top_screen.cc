// SPDX-License-Identifier: BSD-3-Clause
// Keys, and lines.
#include "control/cli/top/top_screen.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "control/cli/top/top_columns.h"
#include "control/common/api_answer.h"
#include "control/common/finding.h"
#include "control/common/human.h"
#include "control/common/status_rows.h"

namespace sluice::control {
namespace {

using nlohmann::json;

constexpr size_t npos = std::string::npos;

constexpr const char* kHelp[] = {
    "b s p w d     backends, services, local ports, workers, drops; Tab: the next",
    "left right    sort by another column",
    "r             turn the order round; o: what is wrong first again",
    "/             filter rows by text; Enter keeps it, Esc clears it",
    "up down       scroll; PgUp PgDn: by a page",
    "space         hold the screen still, and go on",
    "q             quit",
    "",
    "STATE: green takes connections, yellow not all of them, red costs connections",
    "now. SYN-ACK: how long it takes for one, the median of the last 10 s; CHECK: for",
    "a good health check. FULLEST: how much of the fullest local address and worker",
    "cannot be taken. ENDS IN: until no port is left, by the trend of a minute. NEW/S",
    "and the like are of the last second.",
};

size_t length(const ScreenLine& line) {
  size_t total = 0;
  for (const Span& span : line) total += span.text.size();
  return total;
}

// Left text, and right text as far as there is room.
ScreenLine justify(ScreenLine left, ScreenLine right, size_t width) {
  const size_t used = length(left);
  for (Span& span : right) {
    const size_t room = width > used + 1 ? width - used - 1 : 0;
    if (span.text.size() > room) span.text = fit_text(span.text, room, true);
  }
  const size_t both = used + length(right);
  left.push_back({std::string(width > both ? width - both : 0, ' ')});
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

std::string bar(double percent, size_t width) {
  const auto full =
      static_cast<size_t>(std::clamp(percent, 0.0, 100.0) / 100 * static_cast<double>(width) + 0.5);
  return fmt::format("[{:<{}}]", std::string(full, '|'), width);
}

}  // namespace

void TopScreen::set_status(json status) {
  status_ = status.is_object() ? std::move(status) : json::object();
}

void TopScreen::show_view(TopView view) {
  view_ = view;
  sorted_by_ = -1;
  upwards_ = false;
  scrolled_ = 0;
}

namespace {

std::optional<TopView> view_of_key(int key) {
  switch (key) {
    case 'b':
      return TopView::kBackends;
    case 's':
      return TopView::kServices;
    case 'p':
      return TopView::kPorts;
    case 'w':
      return TopView::kWorkers;
    case 'd':
      return TopView::kDrops;
    default:
      return std::nullopt;
  }
}

}  // namespace

void TopScreen::press_in_filter(int key) {
  if (key == '\n' || key == kEscape) filtering_ = false;
  if (key == kEscape) filter_.clear();
  if (key == kBackspace && !filter_.empty()) filter_.pop_back();
  if (key >= ' ' && key < 0x7f && filter_.size() < 40) filter_ += static_cast<char>(key);
  scrolled_ = 0;
}

bool TopScreen::press(int key) {
  if (const auto view = view_of_key(key); view && !filtering_ && !helping_) {
    show_view(*view);
    return true;
  }
  const auto columns = static_cast<int>(top_table(view_).columns.size());
  if (filtering_) {
    press_in_filter(key);
    return true;
  }
  if (helping_) {
    helping_ = false;
    quit_ = key == 'q';
    return true;
  }
  switch (key) {
    case 'q':
      quit_ = true;
      return true;
    case '?':
    case 'h':
      helping_ = true;
      return true;
    case ' ':
      paused_ = !paused_;
      return true;
    case '/':
      filtering_ = true;
      return true;
    case kEscape:
      filter_.clear();
      return true;
    case '\t':
      show_view(static_cast<TopView>((static_cast<int>(view_) + 1) % 5));
      return true;
    case 'r':
      upwards_ = !upwards_;
      return true;
    case 'o':
      sorted_by_ = -1;
      upwards_ = false;
      return true;
    case kLeft:
      sorted_by_ = sorted_by_ <= 0 ? columns - 1 : sorted_by_ - 1;
      return true;
    case kRight:
      sorted_by_ = (sorted_by_ + 1) % columns;
      return true;
    case kUp:
      scrolled_ -= std::min<size_t>(scrolled_, 1);
      return true;
    case kDown:
      ++scrolled_;
      return true;
    case kPageUp:
      scrolled_ -= std::min(scrolled_, page_);
      return true;
    case kPageDown:
      scrolled_ += page_;
      return true;
    default:
      return false;
  }
}

std::vector<TopRow> TopScreen::rows() const {
  const TopTable& table = top_table(view_);
  std::vector<TopRow> rows = table.rows(status_);
  if (!filter_.empty()) {
    std::erase_if(rows, [this](const TopRow& row) { return row.words.find(filter_) == npos; });
  }
  if (sorted_by_ < 0) {
    std::ranges::stable_sort(rows, std::ranges::greater{}, &TopRow::severity);
  } else {
    const auto by = static_cast<size_t>(sorted_by_);
    const bool is_text = table.columns[by].is_text();
    // Numbers: the largest first; names: from A to Z.
    std::ranges::stable_sort(rows, [&](const TopRow& a, const TopRow& b) {
      return is_text ? a.cells[by] < b.cells[by] : b.cells[by] < a.cells[by];
    });
  }
  if (upwards_) std::ranges::reverse(rows);
  return rows;
}

ScreenLine TopScreen::title(size_t width) const {
  ScreenLine left = {{"sluice ", Style::kStrong},
                     {text_field(status_, "version") + "  up " +
                      human_ms(1000 * number_field(status_, "uptime_s"))}};
  if (paused_) left.push_back({"  paused", Style::kStrong});
  if (!trouble_.empty()) return justify(left, {{trouble_, Style::kBad}}, width);
  const json& judgement = judgement_of(status_);
  const size_t wrong = list_field(judgement, "findings").size();
  const std::string text = wrong == 0   ? "all is well"
                           : wrong == 1 ? "one thing is wrong"
                                        : fmt::format("{} things are wrong", wrong);
  return justify(left, {{text, style_of(severity_field(judgement))}}, width);
}

ScreenLine TopScreen::totals() const {
  const TotalsRow totals = row_of<TotalsRow>(field(status_, "totals")).row;
  ScreenLine line;
  const auto add = [&line](std::string value, const char* what) {
    line.push_back({std::move(value), Style::kStrong});
    line.push_back({what});
  };
  add(human_count(totals.connections_per_s), " new/s  ");
  add(human_count(totals.active), " open  ");
  add(human_bits(totals.bits_in_per_s), "b/s in  ");
  add(human_bits(totals.bits_out_per_s), "b/s out  ");
  add(human_count(totals.drops_per_s), " drops/s");
  return line;
}

// Two a line, and of many only the busiest that have room.
std::vector<ScreenLine> TopScreen::workers(size_t width) const {
  constexpr size_t kLinesMax = 4;
  const size_t per_line = width >= 76 ? 2 : 1;
  std::vector<AnsweredRow<WorkerRow>> rows = rows_of<WorkerRow>(status_, "workers");
  if (rows.size() > kLinesMax * per_line) {
    std::ranges::stable_sort(rows, std::ranges::greater{},
                             [](const auto& answered) { return answered.row.busy_percent; });
    rows.resize(kLinesMax * per_line);
  }
  std::vector<ScreenLine> lines;
  for (size_t i = 0; i < rows.size(); ++i) {
    const WorkerRow& row = rows[i].row;
    if (i % per_line == 0) lines.emplace_back();
    lines.back().push_back({fmt::format("lcore {:<3}", row.lcore)});
    lines.back().push_back({bar(row.busy_percent, 20), style_of_gauge(row.severity)});
    lines.back().push_back({fmt::format("{:>4.0f} %   ", row.busy_percent)});
  }
  return lines;
}

std::vector<ScreenLine> TopScreen::findings(size_t width, size_t count_max) const {
  std::vector<ScreenLine> lines;
  const json& all = list_field(judgement_of(status_), "findings");
  for (const json& finding : all) {
    if (lines.size() + 1 == count_max && all.size() > count_max) {
      lines.push_back(
          {{fmt::format("  ... and {} more: sluicectl status", all.size() - lines.size()),
            Style::kDim}});
      break;
    }
    lines.push_back({{fit_text(fmt::format("! {}", text_field(finding, "what")), width, true),
                      style_of(severity_field(finding))}});
  }
  return lines;
}

std::vector<ScreenLine> TopScreen::table(size_t width, size_t height) {
  const TopTable& table = top_table(view_);
  const std::vector<TopRow> all = rows();
  page_ = height > 2 ? height - 2 : 1;
  const size_t shown = height > 1 ? height - 1 : 0;
  scrolled_ = std::min(scrolled_, all.size() > shown ? all.size() - shown : 0);
  // What fits; the last column of text may have the rest.
  std::vector<size_t> widths;
  size_t used = 0;
  for (size_t i = 0; i < table.columns.size(); ++i) {
    const size_t wanted = width_of(table.columns[i], i, all, width);
    if (used + wanted > width && !widths.empty()) break;
    widths.push_back(wanted);
    used += wanted + 1;
  }
  const TopColumn& last = table.columns[widths.size() - 1];
  if (last.is_text() && used < width + 1) widths.back() += width + 1 - used;

  std::vector<ScreenLine> lines(1);
  for (size_t i = 0; i < widths.size(); ++i) {
    std::string title = table.columns[i].title;
    if (static_cast<int>(i) == sorted_by_) title += upwards_ ? "^" : "v";
    const std::string fitted = fit_text(title, widths[i], table.columns[i].is_text());
    lines[0].push_back({fitted + (i + 1 < widths.size() ? " " : ""), Style::kHead});
  }
  if (length(lines[0]) < width) {
    lines[0].push_back({std::string(width - length(lines[0]), ' '), Style::kHead});
  }
  for (size_t i = scrolled_; i < all.size() && lines.size() < height; ++i) {
    ScreenLine& line = lines.emplace_back();
    for (size_t c = 0; c < widths.size(); ++c) {
      line.push_back(top_cell(all[i], all[i].cells[c], table.columns[c], widths[c]));
      line.push_back({" "});
    }
    line.pop_back();
  }
  if (all.empty()) {
    lines.push_back({{filter_.empty() ? "nothing" : fmt::format("nothing holds \"{}\"", filter_),
                      Style::kDim}});
  }
  return lines;
}

ScreenLine TopScreen::keys(size_t width) const {
  if (filtering_) return {{"filter: "}, {filter_ + "_", Style::kStrong}};
  ScreenLine left = {{"b", Style::kStrong}, {"ackends "}, {"s", Style::kStrong}, {"ervices "},
                     {"p", Style::kStrong}, {"orts "},    {"w", Style::kStrong}, {"orkers "},
                     {"d", Style::kStrong}, {"rops  "},   {"?", Style::kStrong}, {" help "},
                     {"q", Style::kStrong}, {"uit"}};
  ScreenLine right;
  if (!filter_.empty()) right.push_back({fmt::format("filter: {}", filter_), Style::kStrong});
  return justify(left, right, width);
}

std::vector<ScreenLine> TopScreen::help(size_t height) const {
  std::vector<ScreenLine> lines;
  for (const char* text : kHelp) {
    if (lines.size() < height) lines.push_back({{text}});
  }
  return lines;
}

std::vector<ScreenLine> TopScreen::render(size_t width, size_t height) {
  if (judgement_of(status_).is_null()) return {{{"sluice has only just started"}}};
  std::vector<ScreenLine> lines = {title(width), totals()};
  const auto append = [&lines](std::vector<ScreenLine> more) {
    lines.insert(lines.end(), more.begin(), more.end());
  };
  append(workers(width));
  append(findings(width, std::max<size_t>(2, height / 6)));
  constexpr size_t kTall = 20;
  if (height >= kTall) lines.emplace_back();
  const size_t rest = height > lines.size() + 1 ? height - lines.size() - 1 : 0;
  append(helping_ ? help(rest) : table(width, rest));
  lines.resize(std::max<size_t>(height, 1) - 1);
  lines.push_back(keys(width));
  return lines;
}

}  // namespace sluice::control
