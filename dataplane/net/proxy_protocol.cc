// SPDX-License-Identifier: BSD-3-Clause
// The two forms of the header.
#include "dataplane/net/proxy_protocol.h"

#include <arpa/inet.h>

#include <charconv>
#include <cstring>

namespace sluice::net {
namespace {

constexpr uint8_t kSignature[] = {'\r', '\n', '\r', '\n', 0, '\r', '\n', 'Q', 'U', 'I', 'T', '\n'};
constexpr uint8_t kVersionLocal = 0x20, kVersionProxy = 0x21;
constexpr uint8_t kInet = 0x10, kInet6 = 0x20, kStream = 0x01, kDatagram = 0x02;
constexpr uint8_t kAuthority = 0x02, kUniqueId = 0x05;
constexpr size_t kTlvHead = 3;

/// Appends to a header; whoever writes has seen to it that there is room.
class Writer {
 public:
  explicit Writer(ProxyHeader& header) : begin_(header.data()), at_(header.data()) {}

  void put(const void* data, size_t length) {
    std::memcpy(at_, data, length);
    at_ += length;
  }
  void put(std::string_view text) { put(text.data(), text.size()); }
  void put8(uint8_t byte) { *at_++ = byte; }
  void put16(be16 word) { put(&word, sizeof word); }
  void put(const Endpoint& end) {
    char text[INET6_ADDRSTRLEN];
    const auto bytes = end.ip.bytes();
    inet_ntop(end.ip.is_v4() ? AF_INET : AF_INET6, bytes.data(), text, sizeof text);
    put(std::string_view(text));
  }
  void put_decimal(uint16_t number) {
    char digits[5];
    const auto [end, error] = std::to_chars(digits, digits + sizeof digits, number);
    static_cast<void>(error);
    put(digits, static_cast<size_t>(end - digits));
  }
  void put_tlv(uint8_t type, const void* value, size_t length) {
    put8(type);
    put16(be16::from_host(static_cast<uint16_t>(length)));
    put(value, length);
  }
  uint16_t length() const { return static_cast<uint16_t>(at_ - begin_); }

 private:
  uint8_t* begin_;
  uint8_t* at_;
};

size_t address_length(const ProxyFields& fields) {
  return fields.source.ip.is_v4() ? 12 : 36;
}

size_t tlvs_length(const ProxyFields& fields) {
  const size_t authority = fields.authority.empty() ? 0 : kTlvHead + fields.authority.size();
  return kTlvHead + fields.unique_id.size() + authority;
}

/// Section 2.1.
void write_line(Writer& writer, const ProxyFields& fields) {
  writer.put(fields.source.ip.is_v4() ? "PROXY TCP4 " : "PROXY TCP6 ");
  writer.put(fields.source);
  writer.put8(' ');
  writer.put(fields.destination);
  writer.put8(' ');
  writer.put_decimal(fields.source.port.host());
  writer.put8(' ');
  writer.put_decimal(fields.destination.port.host());
  writer.put("\r\n");
}

/// Section 2.2.
void write_binary(Writer& writer, const ProxyFields& fields) {
  const bool v4 = fields.source.ip.is_v4();
  const bool tcp = fields.protocol == Protocol::kTcp;
  writer.put(kSignature, sizeof kSignature);
  writer.put8(kVersionProxy);
  writer.put8(static_cast<uint8_t>((v4 ? kInet : kInet6) | (tcp ? kStream : kDatagram)));
  writer.put16(
      be16::from_host(static_cast<uint16_t>(address_length(fields) + tlvs_length(fields))));
  const auto source = fields.source.ip.bytes(), destination = fields.destination.ip.bytes();
  writer.put(source.data(), source.size());
  writer.put(destination.data(), destination.size());
  writer.put16(fields.source.port);
  writer.put16(fields.destination.port);
  writer.put_tlv(kUniqueId, fields.unique_id.data(), fields.unique_id.size());
  if (fields.authority.empty()) return;
  writer.put_tlv(kAuthority, fields.authority.data(), fields.authority.size());
}

}  // namespace

uint16_t proxy_header_length(ProxyVersion version, const ProxyFields& fields) {
  if (version == ProxyVersion::kV2) {
    return static_cast<uint16_t>(sizeof kSignature + 4 + address_length(fields) +
                                 tlvs_length(fields));
  }
  ProxyHeader header;
  return write_proxy_header(version, fields, header);
}

uint16_t write_proxy_header(ProxyVersion version, const ProxyFields& fields, ProxyHeader& header) {
  Writer writer(header);
  if (version == ProxyVersion::kV1) {
    write_line(writer, fields);
  } else {
    write_binary(writer, fields);
  }
  return writer.length();
}

uint16_t write_local_proxy_header(ProxyVersion version, ProxyHeader& header) {
  Writer writer(header);
  if (version == ProxyVersion::kV1) {
    writer.put("PROXY UNKNOWN\r\n");
  } else {
    writer.put(kSignature, sizeof kSignature);
    writer.put8(kVersionLocal);
    writer.put8(0);
    writer.put16({0});
  }
  return writer.length();
}

}  // namespace sluice::net
