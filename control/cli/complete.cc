// SPDX-License-Identifier: BSD-3-Clause
// Walks the words down the tree of commands, then lists what fits there.
#include "control/cli/complete.h"

#include <algorithm>

namespace sluice::control {
namespace {

// Where the words have led to so far.
struct Place {
  const CLI::App* command;
  const CLI::Option* waiting = nullptr;  // an option whose value comes next
  size_t positionals = 0;                // how many of the command's have been given
};

std::string last_name_of(const CLI::Option& option) {
  if (!option.get_lnames().empty()) return option.get_lnames().front();
  return option.get_single_name();
}

bool takes_value(const CLI::Option& option) {
  return option.get_items_expected_max() > 0;
}

// Options of the commands above count as well (fallthrough).
const CLI::Option* option_of(const CLI::App* command, const std::string& word) {
  for (; command != nullptr; command = command->get_parent()) {
    if (const CLI::Option* option = command->get_option_no_throw(word)) return option;
  }
  return nullptr;
}

const CLI::App* subcommand_of(const CLI::App& command, const std::string& word) {
  const auto found =
      command.get_subcommands([&word](const CLI::App* each) { return each->get_name() == word; });
  return found.empty() ? nullptr : found.front();
}

Place walk(const CLI::App& app, const std::vector<std::string>& words) {
  Place place{&app};
  for (size_t i = 0; i + 1 < words.size(); ++i) {
    const std::string& word = words[i];
    if (place.waiting != nullptr) {
      place.waiting = nullptr;
    } else if (word.starts_with('-')) {
      const CLI::Option* option = option_of(place.command, word);
      if (option != nullptr && takes_value(*option)) place.waiting = option;
    } else if (const CLI::App* next = subcommand_of(*place.command, word)) {
      place = {next};
    } else {
      ++place.positionals;
    }
  }
  return place;
}

// The choices that a check for membership leaves: CLI11 has them in "TEXT:{one,other}".
std::vector<std::string> choices_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const size_t begin = type.find('{');
  const size_t end = type.find('}', begin);
  if (begin == type.npos || end == type.npos) return {};
  return CLI::detail::split(type.substr(begin + 1, end - begin - 1), ',');
}

std::vector<std::string> values(const CLI::Option& option, const ValuesOf& values_of) {
  const auto choices = choices_of(option);
  return choices.empty() ? values_of(last_name_of(option)) : choices;
}

std::vector<std::string> option_names(const CLI::App* command) {
  std::vector<std::string> names;
  for (; command != nullptr; command = command->get_parent()) {
    for (const CLI::Option* option : command->get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
  }
  return names;
}

std::vector<std::string> candidates(const Place& place, const std::string& last,
                                    const ValuesOf& values_of) {
  if (place.waiting != nullptr) return values(*place.waiting, values_of);
  if (last.starts_with('-')) return option_names(place.command);
  std::vector<std::string> names;
  for (const CLI::App* each :
       place.command->get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(each->get_name());
  }
  const auto positionals = place.command->get_options(
      [](const CLI::Option* option) { return option->get_positional(); });
  if (place.positionals < positionals.size()) {
    const auto more = values(*positionals[place.positionals], values_of);
    names.insert(names.end(), more.begin(), more.end());
  }
  return names.empty() ? option_names(place.command) : names;
}

}  // namespace

std::vector<std::string> complete(const CLI::App& app, const std::vector<std::string>& words,
                                  const ValuesOf& values_of) {
  const std::string last = words.empty() ? "" : words.back();
  std::vector<std::string> found = candidates(walk(app, words), last, values_of);
  std::erase_if(found, [&last](const std::string& word) { return !word.starts_with(last); });
  std::ranges::sort(found);
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

}  // namespace sluice::control
