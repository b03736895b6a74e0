#!/usr/bin/env bash
# A node and its data directory: stopped and started, with another number of workers, another port,
# other modes of --fsync; two processes on one directory, a directory of another node, damage.
. "$(dirname "$0")/harness.sh"

coordinator() { start_coordinator --capacity=20 --data-dir="$out/data" "$@"; }
last() { echo $((${#node_pid[@]} - 1)); }
stop_last() { stop_node "$(last)"; }

# refused STATUS TEXT FLAGS...: a node does not start, with this exit status and a sentence.
refused() {
  local status=$1 text=$2
  shift 2
  timeout 20 "$LHNODE" --role=coordinator --listen=127.0.0.1:0 --capacity="${capacity:-20}" "$@" \
    >/dev/null 2>"$out/stderr"
  same "exit status with $*" "$status" $?
  has_text "with $*" "$text" "$(tail -n 1 "$out/stderr")"
}

coordinator --workers=2 || fail "no coordinator"
for ((n = 0; n < 500; ++n)); do echo "PUT key$n value$n"; done | ask 0 | sort -u >"$out/puts"
same "the puts" OK "$(cat "$out/puts")"
same "an increment by hand" "OK OK NOT FOUND" "$(lines 0 'PUT a 1' 'DELETE a' 'READ a' | sed 's/ $//')"
refused 2 "is held by process ${node_pid[0]}" --data-dir="$out/data"
stop_last
same "a clean stop" 0 "${node_status[0]}"

# Whatever the number of workers and the mode.
expected=$(for ((n = 0; n < 500; ++n)); do echo "value$n"; done)
for flags in "--workers=2" "--workers=3" "--workers=1 --fsync=everysec" "--workers=4 --fsync=never"; do
  # shellcheck disable=SC2086
  coordinator $flags || fail "it does not start again with $flags"
  got=$(for ((n = 0; n < 500; ++n)); do echo "READ key$n"; done | ask "$(last)")
  same "the records with $flags" "$expected" "$got"
  same "their number with $flags" "500 OK" "$(lines "$(last)" COUNT SETTLE | sed 's/ $//')"
  same "a write with $flags" "OK" "$(one "$(last)" "PUT key0 value0")"
  stop_last
  same "a clean stop with $flags" 0 "${node_status[$(last)]}"
done

# kill -9 in each mode: what was acknowledged is there.
for mode in always everysec never; do
  coordinator --workers=2 --fsync=$mode || fail "it does not start with $mode"
  same "a write" "OK" "$(one "$(last)" "PUT mode $mode")"
  kill_node "$(last)"
  coordinator --workers=2 || fail "it does not start after kill -9 with $mode"
  same "what was acknowledged" $mode "$(one "$(last)" "READ mode")"
  same "the others" value7 "$(one "$(last)" "READ key7")"
  stop_last
done

# A file that grew and is idle then owes nobody an answer.
for mode in everysec never; do
  start_coordinator --capacity=500 --workers=1 --data-dir="$out/grown-$mode" --fsync=$mode ||
    fail "no coordinator with $mode"
  "$LHNODE" --role=client --coordinator="${node_address[$(last)]}" bench --records=10000 --ops=0 \
    >"$out/bench" 2>&1 || fail "bench with $mode: $(tail -n 1 "$out/bench")"
  same "what it loaded with $mode" 10000 "$(one "$(last)" COUNT)"
  stop_last
done

# Not this node's, not this file's.
capacity=21 refused 2 "--capacity=20" --data-dir="$out/data"
refused 2 "--hash=mixed" --data-dir="$out/data" --hash=integer

coordinator || fail "it does not start"
for ((n = 0; n < 200; ++n)); do echo "PUT more$n value$n"; done | ask "$(last)" >/dev/null
stop_last

# Damage: a sentence with the file and the offset, exit status 4, and nothing is changed.
log=$(find "$out/data" -name '*.log' -size +1k | sort | tail -n 1)
[[ -n $log ]] || fail "there is no log in $out/data"
cp -r "$out/data" "$out/copy"
printf 'X' | dd of="$log" bs=1 seek=600 conv=notrunc status=none
refused 4 "$log, offset" --data-dir="$out/data"
cmp -s "$log" "${log/$out\/data/$out/copy}" && fail "the damage was mended"
rm "$out/data/MANIFEST"
refused 4 "MANIFEST" --data-dir="$out/data"

[[ ! -x tools/lhdump ]] || tools/lhdump --verify "$out/copy" >/dev/null || fail "lhdump finds damage in the copy"
finish
