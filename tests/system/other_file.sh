#!/usr/bin/env bash
# A coordinator without a data directory is killed, and started again at its place: an empty file. The
# nodes of the old one serve what they have, and nothing of one file ever gets into the other.
. "$(dirname "$0")/harness.sh"

start_coordinator --capacity=20 || fail "no coordinator"
coordinator=${node_address[0]}
for k in 1 2; do start_bucket || fail "no bucket node"; done
for ((n = 0; n < 400; ++n)); do echo "PUT key$n v$n"; done | ask 0 | sort -u >"$out/puts"
same "the puts" OK "$(cat "$out/puts")"
one 0 SETTLE >/dev/null
# A key of each of the old nodes, and one of the coordinator's.
for k in 0 1 2; do
  for ((n = 0; n < 400; ++n)); do
    [[ $(one 1 "LOCATE key$n") == *"node=${node_address[k]}" ]] && break
  done
  key[k]=key$n value[k]=v$n
done

kill_node 0
start_node --role=coordinator --listen="$coordinator" --capacity=20 || fail "no second coordinator" # 3
for k in 1 2; do
  logged "$k" 20 "this node is of another file" || fail "node $k does not notice the new file"
done

same "what an old node has" "${value[1]}" "$(one 1 "READ ${key[1]}")"
same "by way of the other" "${value[1]}" "$(one 2 "READ ${key[1]}")"
has_text "a key that was with the coordinator" "ERR bucket" "$(ASK_SECONDS=10 one 1 "READ ${key[0]}")"
has_text "a write to it" "ERR bucket" "$(ASK_SECONDS=10 one 2 "PUT ${key[0]} lost")"
for question in COUNT FILE NODES SETTLE BUCKETS; do
  has_text "$question" "ERR" "$(ASK_SECONDS=10 one 1 "$question")"
done
# A native client of an old node is one of the old file.
"$LHNODE" --role=client --coordinator="${node_address[1]}" put "${key[1]}" new >"$out/client" 2>&1
same "a write of a native client" 0 $?
same "is in the old file" new "$(one 2 "READ ${key[1]}")"
"$LHNODE" --role=client --coordinator="${node_address[1]}" put "${key[0]}" lost >"$out/client" 2>&1
same "a write to what was with the coordinator" 3 $?
same "the new file" "0" "$(one 3 COUNT)"
finish
