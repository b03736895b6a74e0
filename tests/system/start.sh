#!/usr/bin/env bash
# What a node says and how it is told: exactly one line on stdout; flags before the environment
# before the config file before the default; any order of starting.
. "$(dirname "$0")/harness.sh"

# capacity K
capacity() { one "$1" FILE | grep -o 'capacity=[0-9]*'; }

# One line on stdout, whatever happens then. It is read to the end after the node's.
start_coordinator || fail "no coordinator"
[[ ${node_ready[0]} =~ ^ready\ role=coordinator\ listen=127\.0\.0\.1:[0-9]+\ pid=[0-9]+$ ]] ||
  fail "the ready line is '${node_ready[0]}'"
printf 'x\n"\n' | ask 0 >/dev/null
touch "$out"/{stdout,closed.log,early,early.log} # they are followed, perhaps before they are written
"$LHNODE" --role=coordinator --listen=127.0.0.1:0 >"$out/stdout" 2>"$out/stderr" &
alone=$!
timeout 10 tail -n +1 -f "$out/stdout" | grep -q -m 1 ready || fail "not ready"
kill -TERM $alone
wait $alone
same "exit status" 0 $?
same "lines on stdout" 1 "$(wc -l <"$out/stdout")"
has_text "the log says that nothing is kept" "memory only" "$(cat "$out/stderr")"
same "every line of the log has a time" 0 "$(grep -c -v -E '^[0-9T:.-]+Z (info|warn) ' "$out/stderr")"

# Closed standard descriptors stay nobody's: no socket gets their number.
"$LHNODE" --role=coordinator --listen=127.0.0.1:0 <&- >&- 2>"$out/closed.log" &
closed=$!
timeout 10 tail -n +1 -f "$out/closed.log" | grep -q -m 1 starting || fail "does not serve with closed descriptors"
for fd in 0 1; do same "descriptor $fd" /dev/null "$(readlink "/proc/$closed/fd/$fd")"; done
kill -TERM $closed
wait $closed
same "exit status with closed descriptors" 0 $?

# Where values come from.
conf=$out/lhnode.conf
printf '# a comment\ncapacity = 11\nhash = integer\n' >"$conf"
same "default" "capacity=65536" "$(capacity 0)"
start_coordinator --config="$conf" || fail "no node with a config file"
same "config file" "capacity=11" "$(capacity 1)"
same "another line of it" "ERR key is not an integer" "$(one 1 'READ x')"
LHNODE_CAPACITY=12 start_coordinator --config="$conf" || fail "no node with an environment"
same "environment over config file" "capacity=12" "$(capacity 2)"
LHNODE_CAPACITY=12 start_coordinator --config="$conf" --capacity=13 || fail "no node with flags"
same "flag over environment" "capacity=13" "$(capacity 3)"
LHNODE_CONFIG=$conf start_coordinator || fail "no node with a config file from the environment"
same "config file from the environment" "capacity=11" "$(capacity 4)"
LHNODE_CAPACITY= start_coordinator || fail "no node with an empty variable"
same "an empty variable is none" "capacity=65536" "$(capacity 5)"

# bad_config TEXT LINE...: each is refused with the place.
bad_config() {
  local text=$1
  shift
  printf '%s\n' "$@" >"$out/bad.conf"
  "$LHNODE" --role=coordinator --listen=127.0.0.1:0 --config="$out/bad.conf" >/dev/null 2>"$out/stderr"
  same "exit status with $*" 2 $?
  has_text "with $*" "$text" "$(cat "$out/stderr")"
}
bad_config "bad.conf:2" "capacity = 3" "colour = red"
bad_config "bad.conf:1" "capacity"
bad_config "bad.conf:2" "capacity = 3" "capacity = 4"
bad_config "capacity" "capacity = many"
bad_config "/nowhere/at" "data-dir = /nowhere/at/all"
LHNODE_CAPACITY=few "$LHNODE" --role=coordinator --listen=127.0.0.1:0 2>"$out/stderr"
same "a bad variable" 2 $?
has_text "a bad variable" "LHNODE_CAPACITY" "$(cat "$out/stderr")"

# A bucket node that is started before its coordinator waits for it.
start_coordinator || fail "no coordinator to copy the port of" # node 6
late=${node_address[6]}
stop_node 6
"$LHNODE" --role=bucket --coordinator="$late" >"$out/early" 2>"$out/early.log" &
early=$!
timeout 10 tail -n +1 -f "$out/early.log" | grep -q -m 1 starting || fail "the early node does not start"
start_node --role=coordinator --listen="$late" || fail "no coordinator at $late"
timeout 10 tail -n +1 -f "$out/early" | grep -q -m 1 ready || fail "the early node does not get ready"
same "nodes" "END 2 nodes" "$(one 7 NODES | tail -n 1)"
kill -TERM $early
wait $early
same "exit status of the early node" 0 $?
finish
