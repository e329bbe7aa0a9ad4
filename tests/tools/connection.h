// SPDX-License-Identifier: BSD-3-Clause
// One HTTP connection of the load generator, from connect() to close(), timed to the nanosecond.
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::tools {

// Theory of operation. A Connection is a small state machine on a non-blocking socket that is
// registered edge-triggered once: whatever happens, advance() does all that can be done now.
// Who closes first decides which side is left in TIME_WAIT, so the close mode is the one thing that
// changes a connection's course:
//
//   server   GET, read to the end of file, close           the backend is left in TIME_WAIT
//   client   GET, read the whole body, close               the client is left in TIME_WAIT
//   reset    GET, read the whole body, close with an RST   nobody is left
//   half     GET, shut down sending, read to the end       the client is left
//   upload   PUT of `upload_bytes`, then as `server`
enum class Close { server, client, reset, half, upload };

enum class Outcome {
  succeeded,
  reset,
  refused,
  timeout,       // the kernel's, or ours: a connection never outlives its deadline
  bad_response,  // not 2xx, cut short, or bytes that were never sent
  local,         // no socket, no port: the fault of this machine, not of what is tested
};
constexpr int kOutcomeCount = 6;
const char* name(Outcome outcome);

struct Request {
  sockaddr_in to;
  std::string path;
  Close close;
  uint64_t upload_bytes;
};

// What one connection came to. Times are of the monotonic clock; -1: did not get that far.
struct Result {
  Outcome outcome = Outcome::local;
  int64_t opened_ns = 0;
  int64_t connect_ns = -1;
  int64_t request_ns = -1;
  sockaddr_in from = {};
  std::string backend;  // the X-Backend header of the response
};

// A body is checked, and made, by this rule: byte i is the (i mod 26)th letter.
constexpr char body_byte(uint64_t index) {
  return static_cast<char>('a' + index % 26);
}

class Connection {
 public:
  // Opens from `from` (port 0: the kernel's choice) and registers with `epoll_fd` under `tag`.
  // Returns false where it ended at once; result() says how.
  bool open(const Request& request, const sockaddr_in& from, int epoll_fd, uint64_t tag,
            uint64_t number, int64_t now_ns);

  // Goes on as far as the socket allows. Returns false when the connection has ended.
  bool advance(int64_t now_ns);

  // Ends a connection that has passed its deadline.
  void give_up(int64_t now_ns);

  bool is_open() const { return fd_ >= 0; }
  const Result& result() const { return result_; }

 private:
  bool finish_connect(int64_t now_ns);
  bool send_request(int64_t now_ns);
  bool send_upload(int64_t now_ns);
  bool receive(int64_t now_ns);
  bool take(std::string_view bytes);
  bool take_header();
  bool take_body(std::string_view bytes);
  bool body_is_whole() const { return header_done_ && body_bytes_ == content_bytes_; }
  bool ends_at_eof() const {
    return request_->close != Close::client && request_->close != Close::reset;
  }
  bool end(Outcome outcome, int64_t now_ns);
  bool end_by_errno(int error, int64_t now_ns);

  const Request* request_ = nullptr;
  int fd_ = -1;
  bool connected_ = false;
  bool header_done_ = false;
  std::string head_;      // the request's header, unsent part from sent_bytes_ on
  std::string received_;  // the response's header until it is whole
  uint64_t sent_bytes_ = 0;
  uint64_t content_bytes_ = 0;
  uint64_t body_bytes_ = 0;
  Result result_;
};

}  // namespace sluice::tools
