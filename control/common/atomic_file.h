// SPDX-License-Identifier: BSD-3-Clause
// Replaces a file as a whole: whoever reads it sees the old text or the new one.
#pragma once

#include <string>

namespace sluice::control {

// The text of a file that is a regular one. Throws std::system_error.
std::string read_file(const std::string& path);

// Writes beside the file and renames; a symbolic link goes on leading there. Mode and group stay,
// and the owner too where this process may give files away. Throws std::system_error, having
// changed nothing.
void swap_file(const std::string& path, const std::string& text);

}  // namespace sluice::control
