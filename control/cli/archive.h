// SPDX-License-Identifier: BSD-3-Clause
// A new .tar.gz of texts, by libarchive.
#pragma once

#include <ctime>
#include <memory>
#include <string>
#include <string_view>

#include "control/common/unique_fd.h"

struct archive;

namespace sluice::control {

class TextArchive {
 public:
  // The file must not be there yet; only its owner may read it. Throws std::system_error, here and
  // in all that follows.
  TextArchive(const std::string& file, std::time_t now);

  void add(const std::string& name, std::string_view text);
  // Without this the file is not whole.
  void finish();

 private:
  struct Close {
    void operator()(archive* open) const;
  };

  void check(int status) const;

  std::string file_;
  std::time_t now_;
  UniqueFd fd_;
  std::unique_ptr<archive, Close> archive_;
};

}  // namespace sluice::control
