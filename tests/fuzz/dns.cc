// SPDX-License-Identifier: BSD-3-Clause
// Any bytes as the answer to a health check's DNS query.
#include <string>
#include <string_view>

#include "control/daemon/health/dns_message.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice::control;  // NOLINT
  static const std::string query = make_dns_query(0x1234, "web.example", 1);
  const std::string_view answer(reinterpret_cast<const char*>(data), size);
  read_dns_answer(answer, query);
  const auto records = DnsRecords::parse(answer);
  if (records) records->have("10.2.0.10");
  return 0;
}
