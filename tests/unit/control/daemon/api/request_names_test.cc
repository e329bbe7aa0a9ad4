// SPDX-License-Identifier: BSD-3-Clause
// What requests name: found however an address is written, and refused with what comes near.
#include "control/daemon/api/request_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/common/errors.h"
#include "control/config/address_text.h"

namespace sluice::control {
namespace {

using testing::HasSubstr;

ServiceConfig web() {
  return {.name = "web",
          .vip = *parse_endpoint("[fd00:3::1]:80"),
          .backends = {{*parse_endpoint("10.2.0.10:80")}, {*parse_endpoint("[fd00:2::a]:80")}}};
}

std::string refusal_of_backend(const std::string& address) {
  try {
    backend_at(web(), address);
    return "";
  } catch (const RequestError& error) {
    return error.what();
  }
}

TEST(RequestNames, ABackendGoesByItsAddressHoweverThatIsWritten) {
  const ServiceConfig service = web();
  EXPECT_EQ(&backend_at(service, "10.2.0.10:80"), &service.backends[0]);
  for (const char* text : {"[fd00:2::a]:80", "[FD00:2::A]:80", "[fd00:2:0:0:0:0:0:000a]:80"}) {
    EXPECT_EQ(&backend_at(service, text), &service.backends[1]) << text;
  }
}

TEST(RequestNames, OneThatIsNotThereIsRefusedWithTheNearest) {
  EXPECT_THAT(refusal_of_backend("[fd00:2::b]:80"),
              HasSubstr("service web has no backend \"[fd00:2::b]:80\"; the nearest: [fd00:2::a]"));
  EXPECT_THAT(refusal_of_backend("10.2.0.1"), HasSubstr("the nearest: 10.2.0.10:80"));
  EXPECT_THAT(refusal_of_backend("0.0.0.0:0"), HasSubstr("no backend"));
  EXPECT_THAT(refusal_of_backend(""), HasSubstr("no backend"));
}

}  // namespace
}  // namespace sluice::control
