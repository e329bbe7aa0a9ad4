// SPDX-License-Identifier: BSD-3-Clause
// The address of the local API: claimed early (so that a second start is refused before anything
// is touched), listened on late (so that whoever gets an answer knows that the workers run).
//
// Who holds the flock on "<socket>.lock" owns the socket. A socket without a holder was left behind
// by a process that died, and is replaced.
#pragma once

#include <sys/types.h>

#include <string>

#include "control/common/errors.h"
#include "control/common/unique_fd.h"

namespace sluice::control {

// Who may connect: the owner alone, or a group as well.
struct SocketAccess {
  const char* key = "control.socket";  // that has the path, for errors
  mode_t mode = 0600;
  std::string group;  // empty: the process's
};

class ApiSocket {
 public:
  // Makes the directory when it is missing. Throws ApiSocketError: one line, what and the remedy.
  explicit ApiSocket(std::string path, SocketAccess access = {});
  ~ApiSocket();
  ApiSocket(const ApiSocket&) = delete;
  ApiSocket& operator=(const ApiSocket&) = delete;

  void listen();
  int fd() const { return socket_.get(); }
  const std::string& path() const { return path_; }

 private:
  void lock();
  void bind();
  void give_to_group();
  [[noreturn]] void fail(const char* what, int error) const;

  std::string path_;
  SocketAccess access_;
  UniqueFd lock_;
  UniqueFd socket_;
};

}  // namespace sluice::control
