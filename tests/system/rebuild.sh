#!/usr/bin/env bash
# The coordinator is killed and its directory is gone, while three bucket nodes live on: a new one asks
# them for the file. What they have is there, what the old coordinator had is not, and the file grows
# on; afterwards everything comes back from the disks, and a node that was away comes home.
. "$(dirname "$0")/harness.sh"

start_at() { # start_at ADDRESS FLAGS...: a coordinator there
  local address=$1
  shift
  start_node --role=coordinator --listen="$address" --capacity=20 --workers=2 "$@"
}
last() { echo $((${#node_pid[@]} - 1)); }
# refused STATUS TEXT FLAGS...: it does not start, with this exit status and a sentence.
refused() {
  local status=$1 text=$2
  shift 2
  timeout 60 "$LHNODE" --role=coordinator --listen="$coordinator" --capacity="${capacity:-20}" \
    --workers=2 --rebuild "$@" >/dev/null 2>"$out/stderr"
  same "exit status with $*" "$status" $?
  has_text "with $*" "$text" "$(cat "$out/stderr")"
}
buckets_of() { one "$1" FILE | grep -o 'buckets=[0-9]*' | cut -d = -f 2; }
grows() { [[ $(buckets_of "$1") -gt $2 ]]; }

start_coordinator --capacity=20 --workers=2 --data-dir="$out/data0" || fail "no coordinator"
coordinator=${node_address[0]}
for k in 1 2 3; do start_bucket --workers=2 --data-dir="$out/data$k" || fail "no bucket node"; done
for ((n = 0; n < 600; ++n)); do echo "PUT key$n value$n"; done | ask 1 | sort -u >"$out/puts"
same "the puts" OK "$(cat "$out/puts")"
same "all splits are done" OK "$(one 0 SETTLE)"
before=$(buckets_of 0)
# Which keys were with the coordinator.
for ((n = 0; n < 600; ++n)); do echo "LOCATE key$n"; done | ask 1 >"$out/locations"
mapfile -t location <"$out/locations"
for ((n = 0; n < 600; ++n)); do
  if [[ ${location[n]} == *"node=$coordinator" ]]; then expected[n]="NOT FOUND"; else expected[n]=value$n; fi
done
kept=$(printf '%s\n' "${expected[@]}" | grep -c value)
[[ $kept -gt 0 && $kept -lt 600 ]] || fail "the coordinator had all or nothing"

kill_node 0
refused 2 "has a file already" --data-dir="$out/data0"
rm -rf "$out/data0"
capacity=21 refused 2 "a file with --capacity=20" --data-dir="$out/data0"

start_at "$coordinator" --rebuild --data-dir="$out/data0" || fail "it does not rebuild" # 4
has_text "what it says of it" "file rebuilt" "$(cat "${node_log[4]}")"
has_text "and of what is lost" "bucket is empty" "$(cat "${node_log[4]}")"
same "as many buckets as before" "$before" "$(buckets_of 4)"
check_keys() { # check_keys K: by way of node K
  local got
  got=$(for ((n = 0; n < 600; ++n)); do echo "READ key$n"; done | ask "$1")
  same "the keys by way of node $1" "$(printf '%s\n' "${expected[@]}")" "$got"
}
check_keys 4
check_keys 2
same "their number" "$kept" "$(one 3 COUNT)"

# It grows on.
for ((n = 0; n < 600; ++n)); do echo "PUT more$n value$n"; done | ask 2 | sort -u >"$out/puts"
same "more puts" OK "$(cat "$out/puts")"
same "all splits are done again" OK "$(one 1 SETTLE)"
grows 4 "$before" || fail "the file does not grow"
after=$(buckets_of 4)
same "the number of records" $((kept + 600)) "$(one 4 COUNT)"

# Everything from the disks: an ordinary start.
kill_node 4
refused 2 "has a file already" --data-dir="$out/data0"
for k in 1 2 3; do stop_node "$k"; done
start_at "$coordinator" --data-dir="$out/data0" || fail "it does not come back from its disk" # 5
for k in 1 2 3; do start_bucket --workers=2 --data-dir="$out/data$k" || fail "node $k"; done # 6 7 8
all_there() { [[ $(ASK_SECONDS=10 one "$1" COUNT) == $((kept + 600)) ]]; }
eventually 20 all_there 5 || fail "not all is back: $(one 5 COUNT)"
same "as many buckets" "$after" "$(buckets_of 5)"
check_keys 7

# Rebuilt once more, without node 8, which comes back when that is done.
kill_node 8
kill_node 5
rm -rf "$out/data0"
for ((n = 0; n < 600; ++n)); do echo "READ more$n"; done | ASK_SECONDS=30 ask 6 >"$out/alive"
start_at "$coordinator" --rebuild --data-dir="$out/data0" || fail "it does not rebuild without a node" # 9
has_text "who is missing" "rebuilt without a node" "$(cat "${node_log[9]}")"
start_bucket --workers=2 --data-dir="$out/data3" || fail "the missing node does not come back" # 10
settles() { [[ $(ASK_SECONDS=10 one "$1" SETTLE) == OK ]]; }
eventually 20 settles 9 || fail "it does not settle: $(one 9 SETTLE)"
same "as many buckets again" "$after" "$(buckets_of 9)"
# A key of the node that was away, by way of another.
for ((n = 0; n < 600; ++n)); do
  [[ $(one 6 "LOCATE more$n") == *"node=${node_address[10]}" ]] && break
done
same "a key of the node that came back" "value$n" "$(one 6 "READ more$n")"
same "a write there" OK "$(one 9 "PUT more$n again")"
finish
