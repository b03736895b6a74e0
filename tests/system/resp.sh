#!/usr/bin/env bash
# RESP against real processes: redis-cli as it is, raw bytes, malformed requests, several nodes that
# forward to each other, and sums that come out exactly while the file splits.
. "$(dirname "$0")/harness.sh"

# resp K <bytes: as they are, and what comes back until the node closes.
resp() { ask "$1"; }
# request WORD...: as an array.
request() {
  local word
  printf '*%d\r\n' $#
  for word; do printf '$%d\r\n%s\r\n' "${#word}" "$word"; done
}
# answer K WORD...: the answer to one request, without its line ends.
answer() {
  local k=$1
  shift
  request "$@" | resp "$k" | tr -d '\r' | tr '\n' ' '
}
bad() { printf '%b' "$3" | refused "$1" "-ERR Protocol error: $2" 0; }

start_coordinator --capacity=50 --workers=2 || fail "no coordinator"
start_bucket --workers=1 || fail "no second node"
start_bucket --workers=2 || fail "no third node"

# Any node answers any key.
for ((k = 0; k < 600; ++k)); do request SET "key:$k" "value $k"; done | resp 0 >"$out/answers"
same "600 records" "600" "$(grep -c '^+OK' "$out/answers")"
one 0 SETTLE >/dev/null
for ((k = 0; k < 600; k += 37)); do
  same "key $k" "\$$((${#k} + 6)) value $k " "$(answer $((k % 3)) GET "key:$k")"
done
same "several keys" "*3 \$7 value 1 \$-1 \$7 value 2 " "$(answer 1 MGET key:1 nothing key:2)"
same "count" ":600 " "$(answer 2 DBSIZE)"
same "the text protocol sees them" "value 7" "$(one 1 'GET key:7')"
remember_memory

# Sums from many connections, while the file splits.
adders=()
for ((c = 0; c < 12; ++c)); do
  {
    for ((k = 0; k < 200; ++k)); do
      request INCR sum
      request SET "grow:$c:$k" x
      request INCRBY "sum:$((k % 7))" 3
      request APPEND tail a
    done
  } | resp $((c % 3)) >"$out/adder$c" &
  adders+=($!)
done
wait "${adders[@]}"
same "every increment counted" "\$4 2400 " "$(answer 0 GET sum)"
same "and every appended byte" ":2400 " "$(answer 1 STRLEN tail)"
total=0
for ((k = 0; k < 7; ++k)); do
  number=$(answer 2 GET "sum:$k" | cut -d' ' -f2)
  total=$((total + number))
done
same "spread over keys" 7200 "$total"
same "no error" 0 "$(cat "$out"/adder* | grep -c '^-')"
has_text "it did split" "buckets=" "$(one 0 FILE)"
same "all records" ":3009 " "$(answer 1 DBSIZE)"

# A pipeline of 20,000, in order.
for ((k = 0; k < 10000; ++k)); do
  request SET p "$k"
  request GET p
done >"$out/pipelined"
for ((k = 0; k < 10000; ++k)); do printf '+OK\r\n$%d\r\n%d\r\n' ${#k} "$k"; done >"$out/wanted"
resp 1 <"$out/pipelined" >"$out/answers"
cmp -s "$out/wanted" "$out/answers" || fail "pipelined answers are out of order"

# What makes no sense is named, and the connection closed.
for count in 3000000000 9223372036854775807 9223372036854775808 abc +3 0001 ' 1' 2147483647 ''; do
  bad "count '$count'" "invalid multibulk length" "*$count\r\n"
done
for length in -1 2000000000 18446744073709551615 blabla '' 8388609 08; do
  bad "length '$length'" "invalid bulk length" "*1\r\n\$$length\r\n"
done
bad "no bulk" "expected '\$', got 'f'" '*1\r\nfoo\r\n'
bad "a wrong end" "expected an end of line" '*1\r\n$4\r\nPINGxx'
bad "longer than it says" "expected an end of line" '*2\r\n$3\r\nGET\r\n$1\r\nkey\r\n'
bad "line feeds alone" "invalid multibulk length" '*1\n$4\nPING\n'
bad "open quotes" "unbalanced quotes in request" '*0\r\nget "a\r\n'
{ printf '*0\r\n' && head -c 70000 /dev/zero | tr '\0' x; } |
  refused "a long line" "too big inline request" 0
{ printf '*' && head -c 70000 /dev/zero | tr '\0' 1; } |
  refused "a long count" "too big mbulk count string" 0
awk 'BEGIN { srand(8); printf "*"; for (i = 0; i < 65536; ++i) printf "%c", int(rand() * 256) }' |
  resp 0 >/dev/null
printf '*0\r\nPOST / HTTP/1.1\r\nHost: x\r\n\r\nFLUSHALL\r\n' | refused "a browser" "" 0
same "half a request" "" "$(printf '*2\r\n$3\r\nGET\r\n' | resp 0)"
same "nothing after QUIT" "+OK " "$({ request QUIT; request FLUSHALL; } | resp 0 | tr -d '\r' | tr '\n' ' ')"
same "a large value" ":4000000 " \
  "$({ printf '*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$4000000\r\n'; head -c 4000000 /dev/zero; printf '\r\n'
       request STRLEN big; request DEL big; } | resp 2 | tr -d '\r' | sed -n 2p | tr '\n' ' ')"
has_text "an unknown command" "-ERR unknown command 'foo', with args beginning with: 'bar' " \
  "$(answer 0 foo bar)"
same "nothing was lost" ":3010 " "$(answer 0 DBSIZE)"

if command -v redis-cli >/dev/null; then
  cli() { timeout 60 redis-cli -p "${node_port[$1]}" "${@:2}"; }
  same "redis-cli" "PONG" "$(cli 0 PING)"
  same "redis-cli, RESP3" "v" "$(cli 0 -3 SET c v >/dev/null && cli 1 -3 GET c)"
  same "redis-cli, several" "v value 1" "$(cli 2 MGET c key:1 | tr '\n' ' ' | sed 's/ $//')"
  has_text "INFO" "redis_mode:standalone" "$(cli 1 INFO)"
  has_text "its records" "db0:keys=3011," "$(cli 1 INFO keyspace)"
  has_text "a pipe" "errors: 0, replies: 20000" "$(cli 0 --pipe <"$out/pipelined" 2>&1)"
  same "cleared" "OK" "$(cli 2 FLUSHALL)"
else
  echo "skipped: redis-cli is not installed"
  same "cleared" "+OK " "$(answer 2 FLUSHALL)"
fi
same "nothing is left" ":0 " "$(answer 0 DBSIZE)"
finish
