#include "net/socket_address.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <unordered_set>
#include <vector>

namespace lh::net {
namespace {

SocketAddress parsed(std::string_view text) {
  const Result<SocketAddress> address = SocketAddress::parse(text);
  EXPECT_TRUE(address.ok()) << text << ": " << address.status().message();
  return address.ok() ? address.value() : SocketAddress();
}

TEST(SocketAddressTest, what_to_string_writes_parse_reads) {
  for (const char* text : {"127.0.0.1:80", "0.0.0.0:0", "255.255.255.255:65535", "[::1]:80",
                           "[::]:19528", "[2001:db8::7]:1", "[::ffff:10.1.2.3]:443"}) {
    EXPECT_EQ(text, parsed(text).to_string());
    EXPECT_EQ(parsed(text), parsed(parsed(text).to_string()));
  }
}

TEST(SocketAddressTest, localhost_is_a_number_and_needs_no_name_service) {
  EXPECT_EQ("127.0.0.1:7000", parsed("localhost:7000").to_string());
  const Result<SocketAddress> resolved = SocketAddress::resolve("localhost:7000");
  ASSERT_TRUE(resolved.ok());
  EXPECT_EQ(parsed("127.0.0.1:7000"), resolved.value());
}

struct BadAddress {
  std::string text;
  std::string_view why;
};

TEST(SocketAddressTest, malformed_text_is_refused_with_the_reason) {
  const std::vector<BadAddress> bad = {
      {"", "the port is missing"},
      {"127.0.0.1", "the port is missing"},
      {":80", "the host is missing"},
      {"[]:80", "the host is missing"},
      {"127.0.0.1:", "the port is not a number from 0 to 65535"},
      {"127.0.0.1:65536", "the port is not a number from 0 to 65535"},
      {"127.0.0.1:-1", "the port is not a number from 0 to 65535"},
      {"127.0.0.1:+1", "the port is not a number from 0 to 65535"},
      {"127.0.0.1:0x50", "the port is not a number from 0 to 65535"},
      {"127.0.0.1: 80", "the port is not a number from 0 to 65535"},
      {"127.0.0.1:99999999999999999999", "the port is not a number from 0 to 65535"},
      {"::1:80", "an IPv6 address is written in brackets"},
      {"[::1:80", "an IPv6 address is written in brackets"},
      {"::1]:80", "an IPv6 address is written in brackets"},
      {"[127.0.0.1]:80", "only an IPv6 address is written in brackets"},
      {"[localhost]:80", "only an IPv6 address is written in brackets"},
      {"[::1]", "the port is missing"},
      {"256.0.0.1:80", "the host is not a numeric address"},
      {"127.1:80", "the host is not a numeric address"},
      {"example.org:80", "the host is not a numeric address"},
      {" 127.0.0.1:80", "the host is not a numeric address"},
      {std::string("127.0.0.1\0:80", 13), "it contains a NUL"},
      {std::string(300, '1') + ":80", "it is too long"},
  };
  for (const auto& [text, why] : bad) {
    const Result<SocketAddress> address = SocketAddress::parse(text);
    ASSERT_FALSE(address.ok()) << text;
    EXPECT_EQ(StatusCode::kInvalid, address.status().code()) << text;
    EXPECT_NE(std::string_view::npos, address.status().message().find(why))
        << address.status().message();
  }
}

TEST(SocketAddressTest, the_message_quotes_the_text) {
  const Result<SocketAddress> address = SocketAddress::parse("node\n1");
  EXPECT_EQ(R"(address "node\n1" is not HOST:PORT: the port is missing)",
            address.status().message());
}

TEST(SocketAddressTest, a_name_nobody_knows_is_unavailable) {
  // Longer than a label of a name may be: the answer does not depend on a network.
  const std::string host(70, 'x');
  const Result<SocketAddress> address = SocketAddress::resolve(host + ":80");
  ASSERT_FALSE(address.ok());
  EXPECT_EQ(StatusCode::kUnavailable, address.status().code());
  EXPECT_EQ(0u, address.status().message().find("cannot find host " + host + ": "));
}

TEST(SocketAddressTest, survives_the_way_through_the_kernels_form) {
  for (const char* text : {"10.0.0.7:81", "[2001:db8::7]:82"}) {
    sockaddr_storage storage;
    EXPECT_GT(parsed(text).to_sockaddr(&storage), 0u);
    EXPECT_EQ(parsed(text), SocketAddress::from_sockaddr(storage));
  }
  sockaddr_storage unix_storage{};
  unix_storage.ss_family = AF_UNIX;
  EXPECT_FALSE(SocketAddress::from_sockaddr(unix_storage).valid());
}

TEST(SocketAddressTest, knows_loopback) {
  for (const char* text : {"127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1"}) {
    EXPECT_TRUE(parsed(text).is_loopback()) << text;
  }
  for (const char* text : {"10.0.0.1:1", "0.0.0.0:1", "[::]:1", "[::2]:1", "[::ffff:10.0.0.1]:1"}) {
    EXPECT_FALSE(parsed(text).is_loopback()) << text;
  }
  EXPECT_FALSE(SocketAddress().is_loopback());
}

TEST(SocketAddressTest, knows_the_any_address) {
  EXPECT_TRUE(parsed("0.0.0.0:1").is_any());
  EXPECT_TRUE(parsed("[::]:1").is_any());
  EXPECT_FALSE(parsed("0.0.0.1:1").is_any());
  EXPECT_FALSE(SocketAddress().is_any());
}

TEST(SocketAddressTest, is_a_key_of_maps) {
  const std::vector<SocketAddress> addresses = {parsed("127.0.0.1:1"), parsed("127.0.0.1:2"),
                                                parsed("127.0.0.2:1"), parsed("[::1]:1"),
                                                // The same bytes in another family.
                                                parsed("[7f00:1::]:1"), SocketAddress()};
  const std::set<SocketAddress> ordered(addresses.begin(), addresses.end());
  const std::unordered_set<SocketAddress> hashed(addresses.begin(), addresses.end());
  EXPECT_EQ(addresses.size(), ordered.size());
  EXPECT_EQ(addresses.size(), hashed.size());
  EXPECT_EQ(1u, hashed.count(parsed("127.0.0.1:2")));
}

TEST(SocketAddressTest, with_port_changes_the_port_only) {
  EXPECT_EQ(parsed("[::1]:9"), parsed("[::1]:0").with_port(9));
  EXPECT_EQ(9, parsed("[::1]:9").port());
  EXPECT_EQ(parsed("127.0.0.1:9"), SocketAddress::ipv4_loopback(9));
  EXPECT_EQ("-", SocketAddress().to_string());
}

}  // namespace
}  // namespace lh::net
