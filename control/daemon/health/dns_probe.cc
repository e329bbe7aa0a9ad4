// SPDX-License-Identifier: BSD-3-Clause
// A query with an ID of its own for each check, and what its answer says.
#include "control/daemon/health/dns_probe.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "control/common/text.h"
#include "control/config/dns_words.h"
#include "control/daemon/health/dns_message.h"

namespace sluice::control {

std::string DnsProbe::question() {
  const auto id = static_cast<uint16_t>(std::random_device{}());
  query_ = make_dns_query(id, check().dns_name, dns_type_of(check().dns_type).value_or(1));
  return query_;
}

std::optional<ProbeResult> DnsProbe::judge(std::string_view answer) {
  const auto header = read_dns_answer(answer, query_);
  if (!header) return std::nullopt;
  const std::string rcode = dns_rcode_word(header->rcode);
  if (std::ranges::find(check().dns_rcode, rcode) == check().dns_rcode.end()) {
    return ProbeResult::bad("answer " + rcode);
  }
  // Without EDNS an answer has at most 512 bytes (RFC 1035, section 4.2.1).
  if (answer.size() > kDnsAnswerMax) {
    return ProbeResult::bad(fmt::format("an answer of {} bytes", answer.size()));
  }
  return judge_records(answer, header->truncated);
}

// What is cut off (TC) is no part of any record and need not parse (RFC 2181, section 9).
ProbeResult DnsProbe::judge_records(std::string_view answer, bool truncated) const {
  const std::string& expect = check().dns_expect;
  if (truncated && expect.empty()) return ProbeResult::good();
  const auto records = DnsRecords::parse(answer);
  if (records && (expect.empty() || records->have(expect))) return ProbeResult::good();
  if (!records && !truncated) return ProbeResult::bad("a malformed answer");
  return ProbeResult::bad(
      fmt::format("answer {}lacks {}", truncated ? "was truncated, " : "", printable(expect)));
}

}  // namespace sluice::control
