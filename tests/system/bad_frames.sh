#!/usr/bin/env bash
# Frames with wild lengths, unknown versions and types, bodies that are not what they say, frames cut
# at every byte, and frames that only a node may send. src/wire/FORMAT.md has the grammar.
. "$(dirname "$0")/harness.sh"

# hex STRING: the bytes; blanks are for the reader.
hex() {
  local digits=${1// /}
  printf '%b' "$(sed 's/../\\x&/g' <<<"$digits")"
}

# frame TYPE BODY: with its header, all in hex.
frame() {
  local body=${2// /}
  printf '%08x01%s%s' $((${#body} / 2 + 2)) "$1" "$body"
}

CLIENT=$(frame 01 "01 00 0700000000000000 00 0000000000000000 00")
NODE=$(frame 01 "01 01 0000000000000000 09 0000000000000000 0b 3132372e302e302e313a31") # node 9 at 127.0.0.1:1
READ_K=$(frame 10 "01 01 03 00 00 01 6b 00 00")
REQUEST=10 REPLY=11 SCAN=20 SCAN_MORE=22 OVERFLOW=40 SPLIT_ORDER=42 SPLIT_DONE=43
SPLIT_RECORDS=44 HEARTBEAT=32 BOOK_UPDATE=33 FILE_REPLY=36

refuses() { hex "$3" | refused "$1" "$2" 0; }

# in_hex FILE: on one line.
in_hex() { od -An -v -tx1 "$1" | tr -d ' \n'; }

has_reply() { [[ $(in_hex "$out/answer") == *"0111"* ]]; }

# answers WHAT HEX [SEND]: well-formed, so a reply frame comes back.
answers() {
  local fd reader send=${3:-hex}
  connect fd 0
  : >"$out/answer"
  cat <&"$fd" >"$out/answer" &
  reader=$!
  $send "$2" >&"$fd"
  eventually 10 has_reply || fail "$1: no reply in '$(in_hex "$out/answer")'"
  kill $reader
  exec {fd}>&-
}

# survives WHAT HEX: whatever the node makes of it, it is still there.
survives() {
  hex "$2" | ASK_SECONDS=5 ask 0 >/dev/null
  [[ $? -ne 124 ]] || fail "$1: the connection hangs"
  [[ $(one 0 PING) == PONG ]] || fail "$1: the node is gone"
}

start_coordinator --capacity=1000 || fail "no coordinator"
start_bucket || fail "no bucket node"
same "the record" "OK v " "$(lines 0 'PUT k v' 'READ k')"
answers "a good request" "$CLIENT$READ_K"
remember_memory

# The header.
refuses "length 0" "too short" "00000000 01 01"
refuses "length 1" "too short" "00000001 01"
refuses "no Hello first" "Hello" "$READ_K"
refuses "length 2^24 - 1" "too long" "00ffffff 01 10"
refuses "length 2^24 in the middle" "2^24" "$CLIENT 01000000 01 10"
refuses "length 2^32 - 1 in the middle" "2^24" "$CLIENT ffffffff 01 10"
refuses "wire version 0" "version" "00000010 00 01"
refuses "wire version 2" "version" "00000010 02 01"
refuses "wire version 255" "version" "$CLIENT 00000010 ff 10"
for type in 00 06 0f 12 2f 39 46 7f; do
  refuses "type 0x$type" "unknown message type" "$CLIENT$(frame $type 00)"
done
refuses "routed bit on a Hello" "unknown message type" "$(frame 81 "01 00 0700000000000000 00 0000000000000000 00")"
refuses "a request longer than any" "too long" "$CLIENT 00fffff0 01 10"
refuses "a Hello of 1 MiB" "too long" "00100000 01 01"

# Hello.
refuses "protocol version 2" "version" "$(frame 01 "02 00 0700000000000000 00 0000000000000000 00")"
refuses "kind 7" "" "$(frame 01 "01 07 0700000000000000 00 0000000000000000 00")"
refuses "client 0" "client" "$(frame 01 "01 00 0000000000000000 00 0000000000000000 00")"
refuses "a second Hello" "second Hello" "$CLIENT$CLIENT"
refuses "a listener of blanks" "" "$(frame 01 "01 00 0700000000000000 00 0000000000000000 03 202020")"
refuses "a listener of 256 bytes" "" \
  "$(frame 01 "01 00 0700000000000000 00 0000000000000000 8002 $(printf '%0512d' 0)")"

# Bodies.
refuses "an empty request" "" "$CLIENT$(frame $REQUEST "")"
refuses "a key longer than the body" "" "$CLIENT$(frame $REQUEST "01 01 03 00 00 7f 6b 00 00")"
refuses "a key of 65,536 bytes" "" "$CLIENT$(frame $REQUEST "01 01 03 00 00 808004 6b 00 00")"
refuses "a key of 2^63 bytes" "" "$CLIENT$(frame $REQUEST "01 01 03 00 00 80808080808080808001 6b")"
refuses "a number of 11 bytes" "" "$CLIENT$(frame $REQUEST "8080808080808080808001 01 03 00 00 00 00")"
refuses "a number spelled too long" "" "$CLIENT$(frame $REQUEST "8100 01 03 00 00 01 6b 00 00")"
refuses "one byte too many" "" "$CLIENT$(frame $REQUEST "01 01 03 00 00 01 6b 00 00 00")"
refuses "operation 36" "" "$CLIENT$(frame $REQUEST "01 01 24 00 00 01 6b 00 00")"
refuses "bucket 2^40" "" "$CLIENT$(frame $REQUEST "01 01 03 808080808020 00 01 6b 00 00")"
refuses "scan of kind 9" "" "$CLIENT$(frame $SCAN "01 09 00 00 00 00 00 $(printf '%032d' 0)")"

# Frames that a client has no business to send.
refuses "a reply" "only a node" "$CLIENT$(frame $REPLY "01 00 00 00 00 00 00 00 00 00")"
refuses "an overflow report" "only a node" "$CLIENT$(frame $OVERFLOW "00 00 01 01")"
refuses "a split order" "only a node" "$CLIENT$(frame $SPLIT_ORDER "01 00 00 01 01 00 00 00")"
refuses "a registration" "only a node" "$CLIENT$(frame 30 "00 0700000000000000 00 0b 3132372e302e302e313a31")"
refuses "a routed request" "only a node" "$CLIENT$(frame 90 "0700000000000000 01 01 00 00 01 01 03 00 00 01 6b 00 00")"

# What is odd but well-formed.
answers "a bucket beyond the file" "$CLIENT$(frame $REQUEST "01 01 03 ffff03 00 01 6b 00 00")"
answers "a request twice" "$CLIENT$READ_K$READ_K"
survives "more of a scan that never began" \
  "$CLIENT$(frame $SCAN_MORE "0700000000000000 05 00 0000000000000000")"
survives "every client message twice in one piece" "$CLIENT$READ_K$(frame 34 ff03)$READ_K$(frame 34 00)"

# A process that says it is a node and talks nonsense. (Who may say so is not checked in this version:
# nodes listen on loopback only.)
survives "overflow of a bucket beyond the file" "$NODE$(frame $OVERFLOW "ffff03 14 05 05")"
survives "2^60 collisions" "$NODE$(frame $OVERFLOW "ffff03 14 05 808080808080808010")"
survives "the end of a split that never was" "$NODE$(frame $SPLIT_DONE "63 00 01 01 02")"
survives "records of a split that never was" \
  "$NODE$(frame $SPLIT_RECORDS "63 01 00 00 00 09 ffff03 14 00")"
survives "a heartbeat of nobody" "$NODE$(frame $HEARTBEAT "09 0900000000000000 00 00 00 00")"
survives "an order to a bucket that is not here" \
  "$NODE$(frame $SPLIT_ORDER "63 05 03 0d 01 00 00 00")"

# Frames cut at every byte, then the end of the connection.
whole=$CLIENT$READ_K
for ((cut = 2; cut < ${#whole}; cut += 2)); do
  hex "${whole:0:cut}" | ASK_SECONDS=5 ask 0 >/dev/null
  [[ $? -ne 124 ]] || fail "a frame cut after $((cut / 2)) bytes holds the connection"
done

# And a whole one, byte by byte.
bytewise() {
  local at
  for ((at = 0; at < ${#1}; at += 2)); do hex "${1:at:2}"; done
}
answers "byte by byte" "$whole" bytewise

# Noise behind a good greeting.
awk 'BEGIN { srand(9); for (i = 0; i < 65536; ++i) printf "%c", int(rand() * 128) }' >"$out/noise"
{ hex "$CLIENT"; printf '\0'; cat "$out/noise"; } | refused "64 KiB of noise" "" 0

same "the record" "v" "$(one 1 'READ k')"
finish
