#!/usr/bin/env bash
# A client that misbehaves a thousand times must not fill the disk: an event that repeats is logged
# once a second, and the next line says how many were not.
. "$(dirname "$0")/harness.sh"

start_coordinator || fail "no coordinator"

# A frame of an impossible length; the node closes the connection and has something to say.
misbehave() {
  connect fd 0
  printf '\000\000\000\000\001\001' >&"$fd"
  timeout 10 cat <&"$fd" >/dev/null
  exec {fd}>&-
}

begin=$SECONDS
for ((k = 0; k < 400; ++k)); do misbehave; done
# Goes on until another line is due, so that what was left out is counted.
lines_before=$(grep -c 'connection closed' "${node_log[0]}")
while [[ $(grep -c 'connection closed' "${node_log[0]}") -eq $lines_before ]]; do
  misbehave
  [[ $((SECONDS - begin)) -lt 60 ]] || fail "the next line of the log does not come"
done
logged=$(grep -c 'connection closed' "${node_log[0]}")
left_out=$(grep -o 'suppressed=[0-9]*' "${node_log[0]}" | awk -F= '{ n += $2 } END { print n + 0 }')
[[ $logged -le $((SECONDS - begin + 2)) ]] || fail "$logged lines in $((SECONDS - begin)) seconds"
[[ $((logged + left_out)) -ge 400 ]] || fail "$logged lines and $left_out left out: too few"
has_text "who it was" " peer=127.0.0.1:" "$(grep -m 1 'connection closed' "${node_log[0]}")"
[[ $(wc -l <"${node_log[0]}") -le $((logged + 5)) ]] || fail "other lines fill the log"
finish
