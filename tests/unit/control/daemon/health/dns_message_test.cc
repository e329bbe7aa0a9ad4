// SPDX-License-Identifier: BSD-3-Clause
// Queries made and answers read: those that fit, and all that a hostile host may send.
#include "control/daemon/health/dns_message.h"

#include <gtest/gtest.h>

#include <random>

#include "control/config/dns_words.h"
#include "tests/unit/control/daemon/health/dns_wire.h"

namespace sluice::control {
namespace {

using dns_wire::answer;
using dns_wire::be16;
using dns_wire::record;

const std::string kQuery = make_dns_query(0x1234, "Web.Example", 1);
const std::string kAddress("\x0a\x02\x00\x0a", 4);

TEST(DnsMessage, AQueryIsMade) {
  EXPECT_EQ(kQuery, be16(0x1234) + be16(0x0100) + be16(1) + be16(0) + be16(0) + be16(0) +
                        dns_wire::name("Web.Example") + be16(1) + be16(1));
  EXPECT_EQ(make_dns_query(0, ".", 2).size(), 12u + 1 + 4);
  EXPECT_EQ(make_dns_query(0, "a..b", 1), "");
}

TEST(DnsMessage, AnAnswersHeaderIsRead) {
  const auto good = read_dns_answer(answer(kQuery, {}), kQuery);
  ASSERT_TRUE(good);
  EXPECT_EQ(good->rcode, 0);
  EXPECT_FALSE(good->truncated);
  const auto cut = read_dns_answer(answer(kQuery, {}, 0x8383), kQuery);
  ASSERT_TRUE(cut);
  EXPECT_EQ(cut->rcode, 3);
  EXPECT_TRUE(cut->truncated);
  // A resolver may have the name in other letters (draft-vixie-dnsext-dns0x20 makes use of that).
  EXPECT_TRUE(read_dns_answer(answer(make_dns_query(0x1234, "wEB.eXAMPLE", 1), {}), kQuery));
  // A server that does not take the query may leave the question away.
  EXPECT_TRUE(read_dns_answer(be16(0x1234) + be16(0x8001) + std::string(8, '\0'), kQuery));
}

TEST(DnsMessage, WhatAnswersSomethingElseIsNone) {
  const std::string good = answer(kQuery, {});
  const std::string others[] = {
      "",
      good.substr(0, 11),
      good.substr(0, 12),
      good.substr(0, good.size() - 1),
      kQuery,  // no answer
      answer(make_dns_query(0x1235, "web.example", 1), {}),
      answer(make_dns_query(0x1234, "web.exampla", 1), {}),
      answer(make_dns_query(0x1234, "web.example", 28), {}),
      answer(kQuery, {}, 0xa180),                          // opcode NOTIFY
      be16(0x1234) + be16(0x8000) + std::string(8, '\0'),  // no error, and no question
      be16(0x1234) + be16(0x8000) + be16(2) + std::string(6, '\0') + kQuery.substr(12) +
          kQuery.substr(12),
      std::string(65507, '\xff'),
  };
  for (const std::string& other : others) {
    EXPECT_FALSE(read_dns_answer(other, kQuery)) << other.size();
  }
}

TEST(DnsMessage, ARecordSaysWhatIsExpected) {
  const std::string ipv6 = std::string("\x20\x01\x0d\xb8", 4) + std::string(11, '\0') + "\x01";
  const struct {
    std::string record;
    const char* expect;
    bool says;
  } cases[] = {
      {record(1, kAddress), "10.2.0.10", true},
      {record(1, kAddress), "10.2.0.1", false},
      {record(28, ipv6), "2001:DB8:0::1", true},
      {record(28, ipv6), "2001:db8::2", false},
      {record(2, dns_wire::name("ns1.example")), "NS1.example.", true},
      {record(2, dns_wire::name("ns1.example")), "ns1.exampl", false},
      {record(5, dns_wire::name("real.example")), "real.example", true},
      {record(15, be16(10) + dns_wire::name("mx.example")), "mx.example", true},
      {record(15, be16(10) + dns_wire::name("mx.example")), "10 mx.example", true},
      {record(15, be16(10) + dns_wire::name("mx.example")), "1 mx.example", false},
      {record(16, "\x06v=spf1\x05 -all"), "spf1 -all", true},
      {record(16, "\x05with\""), "with\"", true},
      {record(16, "\x05other"), "spf1", false},
      {record(65280, "\x01\x02"), "spf1", false},  // a type that nobody knows
  };
  for (const auto& test : cases) {
    const auto records = DnsRecords::parse(answer(kQuery, {record(13,
                                                                  "\x03"
                                                                  "cpu\x02os"),
                                                           test.record}));
    ASSERT_TRUE(records) << test.expect;
    EXPECT_EQ(records->have(test.expect), test.says) << test.expect;
  }
}

TEST(DnsMessage, MalformedRecordsAreNone) {
  const std::string head =
      answer(kQuery, {}).substr(0, 6) + be16(1) + be16(0) + be16(0) + kQuery.substr(12);
  const auto own_offset = static_cast<unsigned>(0xc000 + head.size());
  const std::string bodies[] = {
      "",                                     // said to be there
      record(1, kAddress, be16(own_offset)),  // points at itself
      record(1, kAddress, be16(own_offset + 2) + be16(own_offset)),
      record(1, kAddress, be16(0xffff)),  // points beyond the end
      record(1, kAddress,
             "\x3f"
             "abc"),  // a label beyond the end
      record(1, kAddress,
             "\x80"
             "abc"),  // a kind of label that is none
      record(1, kAddress).substr(0, 10),
      record(1, kAddress).substr(0, 13),
      record(2, be16(own_offset + 12)),  // its name points at itself
      record(15, be16(10)),              // no name
  };
  for (const std::string& body : bodies) {
    const auto records = DnsRecords::parse(head + body);
    EXPECT_FALSE(records && records->have("10.2.0.10")) << body.size();
  }
  EXPECT_FALSE(DnsRecords::parse(""));
  EXPECT_FALSE(DnsRecords::parse(std::string(65507, '\0')));
}

// 169 names that each follow a thousand pointers, each of which points at the one before it.
TEST(DnsMessage, ChainsOfPointersEnd) {
  std::string message =
      answer(kQuery, {}).substr(0, 6) + be16(170) + be16(0) + be16(0) + kQuery.substr(12);
  const size_t begin = message.size() + 12;
  const auto pointer_to = [&](size_t at) { return be16(static_cast<unsigned>(0xc000 + at)); };
  std::string chain(2, '\0');
  while (chain.size() < 1960) chain += pointer_to(begin + chain.size() - 2);
  message += record(65280, chain);
  const std::string owner = pointer_to(begin + chain.size() - 2);
  for (int i = 1; i < 170; ++i) message += record(65280, "", owner);
  ASSERT_LE(message.size(), kDnsAnswerMax);
  const auto records = DnsRecords::parse(message);
  EXPECT_FALSE(records && records->have("10.2.0.10"));
}

TEST(DnsMessage, GarbageIsOutlived) {
  const std::string good =
      answer(kQuery, {record(1, kAddress), record(2, dns_wire::name("ns.example")),
                      record(15, be16(10) + dns_wire::kOwner), record(16, "\x05text."),
                      record(6, dns_wire::kOwner + dns_wire::kOwner + std::string(20, '\1')),
                      record(28, std::string(16, '\1')),
                      record(33, std::string(6, '\0') + dns_wire::kOwner),
                      record(46, std::string(18, '\1') + dns_wire::kOwner + "sig")});
  ASSERT_TRUE(DnsRecords::parse(good));
  for (size_t length = 0; length < good.size(); ++length) {
    DnsRecords::parse(good.substr(0, length));
    read_dns_answer(good.substr(0, length), kQuery);
  }
  std::minstd_rand random(1);
  for (int i = 0; i < 5000; ++i) {
    std::string bad = good;
    for (unsigned n = random() % 8 + 1; n > 0; --n) {
      bad[random() % bad.size()] = static_cast<char>(random());
    }
    read_dns_answer(bad, kQuery);
    const auto records = DnsRecords::parse(bad);
    if (records) records->have("text");
  }
}

TEST(DnsWords, AreThoseThatCanBeAskedFor) {
  EXPECT_EQ(dns_type_of("A"), 1);
  EXPECT_EQ(dns_type_of("aaaa"), 28);
  EXPECT_EQ(dns_type_of("ANY"), 255);
  EXPECT_EQ(dns_type_of("TYPE65280"), 65280);
  for (const char* wrong : {"", "B", "OPT", "AXFR", "IXFR", "TSIG", "TYPE0", "TYPE65536", "1"}) {
    EXPECT_EQ(dns_type_of(wrong), std::nullopt) << wrong;
  }
  EXPECT_EQ(dns_rcode_of("NXDOMAIN"), 3);
  EXPECT_EQ(dns_rcode_of("REFUSED"), 5);
  EXPECT_EQ(dns_rcode_of("OK"), std::nullopt);
  EXPECT_TRUE(is_dns_name(".") && is_dns_name("a.example.") && is_dns_name("_a._udp.example"));
  EXPECT_FALSE(is_dns_name("") || is_dns_name("a..b") || is_dns_name("a b") ||
               is_dns_name(std::string(64, 'a') + ".example") ||
               is_dns_name(std::string(2000, 'a')));
}

}  // namespace
}  // namespace sluice::control
