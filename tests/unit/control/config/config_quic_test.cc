// SPDX-License-Identifier: BSD-3-Clause
// Keys of services that route QUIC by connection ID.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "control/config/config_load.h"
#include "tests/unit/control/config/config_text.h"

namespace sluice::control {
namespace {

TEST(ConfigQuic, MistakesAreNamed) {
  const struct {
    const char* name;
    Text text;
    std::vector<const char*> says;
  } mistakes[] = {
      {"QuicOfTcp",
       {.service = "vip = \"10.3.0.1:80\"\nprotocol = \"tcp\"\nquic = true"},
       {"quic: got a key of udp services"}},
      {"QuicWithoutServerIds",
       {.service = "vip = \"10.3.0.1:80\"\nprotocol = \"udp\"\nquic = true"},
       {"service.backend: got no quic_server_id, expected one"}},
      {"QuicServerIdOfNoQuic",
       {.service = "vip = \"10.3.0.1:80\"\nprotocol = \"udp\"",
        .backend = "address = \"10.1.0.10:80\"\nquic_server_id = \"01\""},
       {"quic_server_id: got a service without quic"}},
      {"QuicServerIdTwice",
       {.service = "vip = \"10.3.0.1:80\"\nprotocol = \"udp\"\nquic = true",
        .backend = "address = \"10.1.0.10:80\"\nquic_server_id = \"01\"",
        .more = "[[service.backend]]\naddress = \"10.1.0.11:80\"\nquic_server_id = \"01\""},
       {"quic_server_id: got that of service[0].backend[0]"}},
      {"QuicServerIdsOfTwoLengths",
       {.service = "vip = \"10.3.0.1:80\"\nprotocol = \"udp\"\nquic = true",
        .backend = "address = \"10.1.0.10:80\"\nquic_server_id = \"01\"",
        .more = "[[service.backend]]\naddress = \"10.1.0.11:80\"\nquic_server_id = \"0102\""},
       {"quic_server_id: got 2 bytes, expected 1 bytes"}},
      {"QuicServerIdTooLong",
       {.service = "vip = \"10.3.0.1:80\"\nprotocol = \"udp\"\nquic = true",
        .backend = "address = \"10.1.0.10:80\"\nquic_server_id = \"010203040506070809\""},
       {"quic_server_id: got", "expected hexadecimal digits of 1 to 8 bytes"}},
      {"QuicConfigIdAlone",
       {.service = "vip = \"10.3.0.1:80\"\nprotocol = \"udp\"\nquic_config_id = 1"},
       {"quic_config_id: got no quic = true"}},
      {"QuicOfOneShot",
       {.service = "vip = \"10.3.0.1:80\"\nprotocol = \"udp\"\nquic = true\nudp_one_shot = true",
        .backend = "address = \"10.1.0.10:80\"\nquic_server_id = \"01\""},
       {"quic: got udp_one_shot beside quic"}},
  };
  for (const auto& mistake : mistakes) {
    SCOPED_TRACE(mistake.name);
    const std::string problems = describe(parse_config(mistake.text.str()).problems, "f");
    EXPECT_EQ(std::ranges::count(problems, '\n'), 1) << problems;
    for (const char* words : mistake.says) {
      EXPECT_NE(problems.find(words), std::string::npos) << problems << "lacks: " << words;
    }
  }
}

}  // namespace
}  // namespace sluice::control
