// SPDX-License-Identifier: BSD-3-Clause
// The terminal, by ncurses. No mouse, no wide characters, the terminal's own colours: what a serial
// console or an old SSH client can show as well.
#include "control/cli/top/top.h"

#include <curses.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>

#include "control/cli/api_client.h"
#include "control/cli/top/top_screen.h"

namespace sluice::control {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kAnswerTimeout{2};
constexpr std::chrono::milliseconds kScreenPeriod{1000};

class Terminal {
 public:
  Terminal() {
    screen_ = newterm(nullptr, stdout, stdin);
    if (screen_ == nullptr) {
      throw ApiError("this terminal is unknown: set TERM, for example TERM=xterm");
    }
    cbreak();
    noecho();
    nonl();
    curs_set(0);
    set_escdelay(50);
    keypad(stdscr, TRUE);
    // NO_COLOR: see no-color.org.
    if (has_colors() && std::getenv("NO_COLOR") == nullptr) {
      start_color();
      use_default_colors();
      init_pair(1, COLOR_GREEN, -1);
      init_pair(2, COLOR_YELLOW, -1);
      init_pair(3, COLOR_RED, -1);
      coloured_ = true;
    }
  }
  ~Terminal() {
    endwin();
    delscreen(screen_);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  void draw(TopScreen& screen) {
    erase();
    const auto lines = screen.render(static_cast<size_t>(COLS), static_cast<size_t>(LINES));
    for (size_t y = 0; y < lines.size() && y < static_cast<size_t>(LINES); ++y) {
      move(static_cast<int>(y), 0);
      for (const Span& span : lines[y]) {
        attrset(static_cast<int>(attribute(span.style)));
        addnstr(span.text.c_str(), std::max(0, COLS - getcurx(stdscr)));
        if (getcury(stdscr) != static_cast<int>(y)) break;  // the line is full
      }
    }
    refresh();
  }

  // A key of TopScreen, or -1 when none came in time.
  int wait_key(std::chrono::milliseconds wait_max) {
    timeout(static_cast<int>(wait_max.count()));
    switch (const int key = getch()) {
      case KEY_UP:
        return TopScreen::kUp;
      case KEY_DOWN:
        return TopScreen::kDown;
      case KEY_LEFT:
      case '<':
        return TopScreen::kLeft;
      case KEY_RIGHT:
      case '>':
        return TopScreen::kRight;
      case KEY_PPAGE:
        return TopScreen::kPageUp;
      case KEY_NPAGE:
        return TopScreen::kPageDown;
      case KEY_BACKSPACE:
      case '\b':
      case 0x7f:
        return TopScreen::kBackspace;
      case 0x1b:
        return TopScreen::kEscape;
      case '\r':
      case KEY_ENTER:
        return '\n';
      default:
        return key;
    }
  }

 private:
  chtype attribute(Style style) const {
    switch (style) {
      case Style::kDim:
        return A_DIM;
      case Style::kStrong:
        return A_BOLD;
      case Style::kGood:
        return colour(1);
      case Style::kWarn:
        return colour(2);
      case Style::kBad:
        return colour(3) | A_BOLD;
      case Style::kHead:
        return A_REVERSE;
      default:
        return A_NORMAL;
    }
  }
  chtype colour(int pair) const { return coloured_ ? static_cast<chtype>(COLOR_PAIR(pair)) : 0; }

  SCREEN* screen_ = nullptr;
  bool coloured_ = false;
};

nlohmann::json ask_status(const std::string& socket_path) {
  return ask(socket_path, {{"command", "status"}}, kAnswerTimeout);
}

void refresh_status(const std::string& socket_path, TopScreen& screen) {
  try {
    screen.set_status(ask_status(socket_path));
    screen.set_trouble("");
  } catch (const ApiError& error) {
    screen.set_trouble(error.what());  // and the old figures stay
  }
}

int run_top(const Session& session) {
  if (isatty(STDIN_FILENO) == 0 || isatty(STDOUT_FILENO) == 0) {
    throw ApiError("top needs a terminal; for scripts: sluicectl status --json");
  }
  TopScreen screen;
  screen.set_status(ask_status(session.socket));
  Terminal terminal;
  Clock::time_point due = Clock::now() + kScreenPeriod;
  while (!screen.quit()) {
    terminal.draw(screen);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(
        std::max(due - Clock::now(), Clock::duration{}));
    const int key = terminal.wait_key(left);
    if (key != ERR) screen.press(key);
    if (Clock::now() < due) continue;
    if (!screen.paused()) refresh_status(session.socket, screen);
    due = Clock::now() + kScreenPeriod;
  }
  return kAnswered;
}

}  // namespace

Command top_command() {
  return command("top", "rates, load and trouble on the terminal, once a second", run_top);
}

}  // namespace sluice::control
