// SPDX-License-Identifier: BSD-3-Clause
// QUIC by connection ID.
#include <set>

#include "tests/stage/udp_stage.h"

namespace sluice::test {
namespace {

TEST_F(UdpStage, AQuicConnectionIdNamesTheBackend) {
  start(udp({.backends = 3}));
  auto told = make_snapshot(udp({.backends = 3}));
  told->services[0].quic = {{.config_id = 2, .server_id_length = 2}, {{0x0a01, 2}, {0x0a02, 0}}};
  adopt(std::move(told));
  const auto backend_of = [&](const Bytes& payload) {
    next_client();
    from_client(asked(payload));
    return only_datagram(kBackendLink).to().ip;
  };
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(backend_of({0x40, 0x47, 0x0a, 0x02, 9, 9}), ip4(10, 2, 0, 10));
    EXPECT_EQ(backend_of({0xc0, 0, 0, 0, 1, 4, 0x47, 0x0a, 0x01, 9}), ip4(10, 2, 0, 12));
  }
  EXPECT_EQ(events(Event::quic_ids_followed), 6u);
  // Nobody's ID, another layout's, none: by the scheduler.
  std::set<net::Ipv4Address> all;
  all.insert(backend_of({0x40, 0x47, 0x0a, 0x03, 9, 9}));
  all.insert(backend_of({0x40, 0x67, 0x0a, 0x02, 9, 9}));
  all.insert(backend_of({0x40}));
  EXPECT_EQ(all.size(), 3u);
  EXPECT_EQ(events(Event::quic_ids_followed), 6u);
}

}  // namespace
}  // namespace sluice::test
