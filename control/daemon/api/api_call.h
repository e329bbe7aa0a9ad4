// SPDX-License-Identifier: BSD-3-Clause
// The calls of the local API as data: each is one entry with its name, who may make it, what it
// takes and what answers it.
//
// A request is checked against its entry before it is answered: a parameter that nobody knows, one
// that is missing and one whose value does not fit are refused by their names. So what answers
// reads values of which type and range are known.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "control/common/enum_words.h"
#include "control/common/ranges.h"
#include "control/daemon/api/api_server.h"

namespace sluice::control {

enum class Access : uint8_t {
  kRead,   // only looks: is answered at control.read_socket as well
  kWrite,  // changes something, or takes something from others
};

struct Parameter;
using Parameters = std::vector<Parameter>;

// What a value has to be: in words, and as a test.
struct ValueKind {
  std::string expected;
  std::function<bool(const nlohmann::json& value)> fits;
  std::vector<Parameter> members;  // of an object
};

struct Parameter {
  std::string name;
  ValueKind kind;
  bool required = false;
};

Parameter required(std::string name, ValueKind kind);
Parameter optional(std::string name, ValueKind kind);

ValueKind any_text();
ValueKind flag();
ValueKind integer(IntegerRange range);
ValueKind any_count();  // a whole number from 0 on
ValueKind word(const std::vector<std::string>& words);
ValueKind endpoint();         // "address:port"
ValueKind host();             // "address" or "address:port"
ValueKind host_or_network();  // or "network/length"
ValueKind object(Parameters members);

template <class Enum>
ValueKind word_for() {
  return word(words_of<Enum>());
}

struct ApiCall {
  std::string_view name;
  Access access;
  Parameters parameters;
  ApiServer::LaterHandler answer;
};

class ApiCalls {
 public:
  explicit ApiCalls(std::vector<ApiCall> calls) : calls_(std::move(calls)) {}

  // The entry that the request names, once the request fits it; `allowed` is what may be done where
  // it came in. Throws RequestError.
  const ApiCall& check(const nlohmann::json& request, Access allowed) const;
  void answer(const nlohmann::json& request, const ApiServer::Reply& reply, Access allowed) const {
    check(request, allowed).answer(request, reply);
  }

 private:
  const ApiCall& call_named(const nlohmann::json& request) const;

  std::vector<ApiCall> calls_;
};

}  // namespace sluice::control
