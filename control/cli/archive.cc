// SPDX-License-Identifier: BSD-3-Clause
// An entry a text.
#include "control/cli/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>

#include <cerrno>
#include <new>
#include <system_error>

namespace sluice::control {
namespace {

constexpr int kOwnerOnly = 0600;

UniqueFd create(const std::string& file) {
  UniqueFd fd(open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kOwnerOnly));
  if (!fd) throw std::system_error(errno, std::generic_category(), "cannot make " + file);
  return fd;
}

struct FreeEntry {
  void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};

}  // namespace

void TextArchive::Close::operator()(archive* open) const {
  archive_write_free(open);
}

TextArchive::TextArchive(const std::string& file, std::time_t now)
    : file_(file), now_(now), fd_(create(file)), archive_(archive_write_new()) {
  if (!archive_) throw std::bad_alloc();
  check(archive_write_add_filter_gzip(archive_.get()));
  check(archive_write_set_format_pax_restricted(archive_.get()));
  check(archive_write_open_fd(archive_.get(), fd_.get()));
}

void TextArchive::add(const std::string& name, std::string_view text) {
  const std::unique_ptr<archive_entry, FreeEntry> entry(archive_entry_new());
  if (!entry) throw std::bad_alloc();
  archive_entry_set_pathname(entry.get(), name.c_str());
  archive_entry_set_size(entry.get(), static_cast<la_int64_t>(text.size()));
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  archive_entry_set_perm(entry.get(), kOwnerOnly);
  archive_entry_set_mtime(entry.get(), now_, 0);
  check(archive_write_header(archive_.get(), entry.get()));
  const la_ssize_t written = archive_write_data(archive_.get(), text.data(), text.size());
  if (written < 0 || static_cast<size_t>(written) != text.size()) check(ARCHIVE_FATAL);
}

void TextArchive::finish() {
  check(archive_write_close(archive_.get()));
}

void TextArchive::check(int status) const {
  if (status == ARCHIVE_OK) return;
  const int error = archive_errno(archive_.get());
  throw std::system_error(error > 0 ? error : EIO, std::generic_category(),
                          "cannot write " + file_);
}

}  // namespace sluice::control
