#!/usr/bin/env bash
# A file with no room left says so; the next node that comes takes what is owed, by itself. A node
# that left before it had a bucket is no loss.
. "$(dirname "$0")/harness.sh"

start_coordinator --max-buckets=1 --capacity=3 --hash=integer || fail "no coordinator"
start_bucket --max-buckets=1 || fail "no bucket node"
for ((k = 1; k <= 9; ++k)); do printf 'INSERT %d r%d\nSETTLE\n' "$k" "$k"; done | ask 0 >"$out/filled"
has_text "no room" "ERR no node has room: " "$(tail -n 1 "$out/filled")"
has_text "two buckets" "buckets=2 " "$(one 0 FILE)"

start_bucket --max-buckets=1 || fail "no third node"
has_text "one more" "ERR no node has room: " "$(one 0 SETTLE)"
has_text "three buckets" "buckets=3 " "$(one 0 FILE)"

start_bucket || fail "no fourth node"
same "settled" "OK" "$(one 0 SETTLE)"
has_text "no more is owed" "buckets=5 " "$(one 0 FILE)"
for ((k = 1; k <= 9; ++k)); do same "key $k" "r$k" "$(one $((k % 4)) "READ $k")"; done

start_bucket || fail "no spare"
kill_node 4
spare_is_down() { one 0 NODES | grep -q 'state=down'; }
eventually 20 spare_is_down || fail "the dead spare is not noticed"
logged 0 10 "info  coordinator node registered node=5 address=${node_address[4]}" || fail "no log line of the spare"
logged 0 10 "warn  coordinator node down node=5 address=${node_address[4]}" || fail "no log line of its end"
for ((k = 10; k <= 40; ++k)); do printf 'INSERT %d r%d\n' "$k" "$k"; done | ask 1 >/dev/null
same "settled without the spare" "OK" "$(one 0 SETTLE)"
same "all records" "40" "$(one 2 COUNT)"
finish
