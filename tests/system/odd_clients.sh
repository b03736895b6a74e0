#!/usr/bin/env bash
# Clients that connect and say nothing, half-close, leave in the middle, stop half-way through a
# command, or send and never read. The node goes on and does not grow.
. "$(dirname "$0")/harness.sh"

start_coordinator || fail "no coordinator"
value=$(head -c 60000 /dev/zero | tr '\0' v)
for ((k = 0; k < 20; ++k)); do echo "PUT big$k $value"; done | ask 0 >"$out/filled"
same "records put" 20 "$(grep -c OK "$out/filled")"
same "the largest answer" 20 "$(one 0 'SCAN ""' | grep -c '^big')"
remember_memory

# Half a request, of either kind, is closed after ten seconds: looked at below.
connect half_line 0
printf 'PING\nPUT half' >&"$half_line"
connect half_frame 0
printf '\000\000\000\016\001' >&"$half_frame"

# Silence. Two hundred connections that say nothing cost next to nothing.
silent=()
for ((k = 0; k < 200; ++k)); do
  connect fd 0 || fail "connection $k is refused"
  silent+=("$fd")
done
still_serves 0
for fd in "${silent[@]}"; do exec {fd}>&-; done

# Half-closed: what was asked before the end is answered.
same "after a half-close" "PONG" "$(one 0 PING)"
same "nothing asked, then a half-close" "" "$(ask 0 </dev/null)"

# Gone in the middle of an answer of a megabyte.
for ((k = 0; k < 50; ++k)); do
  connect fd 0
  printf 'SCAN ""\nSCAN ""\n' >&"$fd"
  head -c 10 <&"$fd" >/dev/null
  exec {fd}>&-
done
still_serves 0

# Never reading: each asks for megabytes and megabytes. The node stops taking their requests, which
# shows as a sender that cannot get rid of them.
yes 'READ big0' | head -n 4000000 >"$out/requests"
greedy=() senders=()
for ((k = 0; k < 10; ++k)); do
  connect fd 0
  greedy+=("$fd")
  timeout 3 cat "$out/requests" >&"$fd" 2>/dev/null &
  senders+=($!)
done
for sender in "${senders[@]}"; do
  wait "$sender"
  same "a sender that never reads is held up" 124 $?
done
still_serves 0
check_memory
for fd in "${greedy[@]}"; do exec {fd}>&-; done

# The same with a scan, whose answer is one piece.
greedy=()
for ((k = 0; k < 10; ++k)); do
  connect fd 0
  greedy+=("$fd")
  for ((n = 0; n < 100; ++n)); do echo 'SCAN ""'; done >&"$fd"
done
still_serves 0
check_memory
for fd in "${greedy[@]}"; do exec {fd}>&-; done

# By now somebody has waited ten seconds for the rest of that line and of that frame.
has_text "half a line" "ERR a line was begun and not finished" "$(timeout 20 cat <&"$half_line")"
has_text "half a frame" "begun and not finished" "$(timeout 20 cat <&"$half_frame" | tr -d '\000')"
same "nothing of it was done" "NOT FOUND" "$(one 0 'READ half')"
finish
