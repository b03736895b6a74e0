#!/usr/bin/env bash
# --max-clients and --idle-timeout.
. "$(dirname "$0")/harness.sh"

start_coordinator --max-clients=3 || fail "no coordinator"
remember_memory
clients=()
for k in 1 2 3; do
  connect fd 0
  clients+=("$fd")
  echo PING >&"$fd"
  read -r -t 10 answer <&"$fd"
  same "client $k" PONG "$answer"
done
for k in 4 5 6; do
  same "client $k" "ERR max number of clients reached" "$(timeout 10 nc 127.0.0.1 "${node_port[0]}" </dev/null)"
done
# Nodes get in, and those who say nothing do not keep them out.
silent=()
for ((k = 0; k < 100; ++k)); do
  connect fd 0 || fail "connection $k is refused"
  silent+=("$fd")
done
start_bucket || fail "a node is kept out"
for fd in "${silent[@]}"; do
  has_text "a silent one too many" "ERR max number of clients reached" "$(timeout 10 cat <&"$fd")"
  exec {fd}>&-
done
same "the other node serves" PONG "$(one 1 PING)"
echo QUIT >&"${clients[0]}"
timeout 10 cat <&"${clients[0]}"
exec {clients[0]}>&-
same "one has gone, one may come" PONG "$(one 0 PING)"
for fd in "${clients[@]:1}"; do exec {fd}>&-; done

# The idle one is closed after its second, the busy one stays.
start_coordinator --idle-timeout=1 || fail "no second coordinator"
connect idle 2
connect busy 2
idle_until=$((SECONDS + 20))
while true; do
  read -r -t 0.2 answer <&"$idle"
  [[ $? -gt 128 ]] || break # above 128: nothing has come, and it is open
  [[ $SECONDS -lt $idle_until ]] || fail "an idle connection is not closed"
  echo PING >&"$busy"
  read -r -t 10 answer <&"$busy"
  same "the busy connection" PONG "$answer"
done
echo PING >&"$busy"
read -r -t 10 answer <&"$busy"
same "the busy connection" PONG "$answer"
exec {idle}>&- {busy}>&-
finish
