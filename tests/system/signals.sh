#!/usr/bin/env bash
# SIGTERM and SIGINT end a node within five seconds with status 0, under load too; a second SIGINT
# ends it at once; SIGHUP reopens the log; a client that is gone ends nothing.
. "$(dirname "$0")/harness.sh"

# ends K SIGNAL STATUS: and within five seconds.
ends() {
  timed end_node "$1" "$2"
  same "exit status of node $1 after SIG$2" "$3" "${node_status[$1]}"
  [[ $elapsed_ms -lt 5000 ]] || fail "node $1 took $elapsed_ms ms to end after SIG$2"
}

start_coordinator --capacity=100 || fail "no coordinator"
for k in 1 2 3; do start_bucket || fail "no bucket node"; done

# At rest.
ends 3 INT 0

# Under load: writers that go on until the node closes on them.
for ((k = 0; k < 200000; ++k)); do printf 'PUT k%d v%d\nREAD k%d\n' $((k % 997)) "$k" "$k"; done \
  >"$out/load"
writers=()
for k in 0 1 2 0 1 2; do
  ask "$k" <"$out/load" >"$out/answers.$k.${#writers[@]}" &
  writers+=($!)
done
# They are at it when each has got an answer.
for answers in "$out"/answers.*; do
  timeout 20 tail -n +1 -f "$answers" 2>/dev/null | head -n 1 >/dev/null
done
ends 2 TERM 0
still_serves 1
ends 1 TERM 0
ends 0 TERM 0
for writer in "${writers[@]}"; do wait "$writer"; done
[[ $(cat "$out"/answers.* | grep -c '^OK$') -gt 0 ]] || fail "no load"

# A client that takes no answers keeps a node from ending at once; whoever is in a hurry says so
# twice.
start_coordinator || fail "no second coordinator" # node 4
hurried=4
{ printf 'PUT big '; head -c 60000 /dev/zero | tr '\0' v; echo; } | ask $hurried >/dev/null
connect fd $hurried
timeout 1 cat <(yes 'READ big' | head -n 4000000) >&"$fd"
kill -INT "${node_pid[$hurried]}"
logged $hurried 5 stopping || fail "SIGINT is not heard"
timed end_node $hurried INT
[[ ${node_status[$hurried]} -ne 0 ]] || fail "the second SIGINT came too late to show"
# A sanitizer takes a second of its own to end a process.
[[ $elapsed_ms -lt 1000 || -n ${SANITIZED:-} ]] || fail "the second SIGINT took $elapsed_ms ms"
exec {fd}>&-

# The same client, but nobody in a hurry.
start_coordinator || fail "no third coordinator" # node 5
{ printf 'PUT big '; head -c 60000 /dev/zero | tr '\0' v; echo; } | ask 5 >/dev/null
connect fd 5
timeout 1 cat <(yes 'READ big' | head -n 4000000) >&"$fd"
ends 5 TERM 0
exec {fd}>&-

# SIGHUP: the log goes on in a new file of the old name.
start_coordinator || fail "no fourth coordinator" # node 6
mv "${node_log[6]}" "$out/rotated"
kill -HUP "${node_pid[6]}"
same "after SIGHUP" "PONG" "$(one 6 PING)"
printf 'GET / HTTP/1.1\r\n\r\n' | talk 6 5 >/dev/null
has_text "the new log" "protocol not served" "$(cat "${node_log[6]}")"
[[ $(cat "$out/rotated") != *"not served"* ]] || fail "the old log is still written to"
finish
