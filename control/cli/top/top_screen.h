// SPDX-License-Identifier: BSD-3-Clause
// What `sluicectl top` shows: one status made into lines of text with a style, for a screen of a
// given size. Pure, so that tests can read the screen; top.cc puts it on a terminal.
//
//   sluice 0.1.0  up 1h02m                                   all is well      totals, findings
//   872 new/s   17 open   6.8M in  568M out  0 drops/s
//   worker 1 [||||||          ]  41 %   flows 0.3 %                           workers
//   ! backend 10.2.0.11:80 of web is down                                  the worst findings
//   BACKEND               SERVICE    STATE  NEW/S ...                         one table of five
//   ...
//   b backends  s services  p ports  w workers  d drops   ? help              keys
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "control/cli/top/top_columns.h"
#include "control/cli/top/top_view.h"

namespace sluice::control {

class TopScreen {
 public:
  // True: the screen has changed. Keys are characters, or one of these.
  enum Key { kUp = 0x100, kDown, kLeft, kRight, kPageUp, kPageDown, kBackspace, kEscape };
  bool press(int key);
  bool quit() const { return quit_; }
  bool paused() const { return paused_; }

  void set_status(nlohmann::json status);
  void set_trouble(std::string text) { trouble_ = std::move(text); }  // no answer; empty: answered

  std::vector<ScreenLine> render(size_t width, size_t height);

 private:
  void press_in_filter(int key);
  void show_view(TopView view);
  std::vector<TopRow> rows() const;
  ScreenLine title(size_t width) const;
  ScreenLine totals() const;
  ScreenLine keys(size_t width) const;
  std::vector<ScreenLine> workers(size_t width) const;
  std::vector<ScreenLine> findings(size_t width, size_t count_max) const;
  std::vector<ScreenLine> table(size_t width, size_t height);
  std::vector<ScreenLine> help(size_t height) const;

  nlohmann::json status_;
  std::string trouble_;
  TopView view_ = TopView::kBackends;
  int sorted_by_ = -1;  // column of the view; -1: what is wrong first
  bool upwards_ = false;
  size_t scrolled_ = 0;
  size_t page_ = 10;
  std::string filter_;
  bool filtering_ = false;
  bool paused_ = false;
  bool helping_ = false;
  bool quit_ = false;
};

}  // namespace sluice::control
