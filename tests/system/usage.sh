#!/usr/bin/env bash
# Wrong flags, wrong values, a taken port, an unreachable coordinator: one sentence on stderr that
# names the flag, nothing on stdout, the right exit status.
. "$(dirname "$0")/harness.sh"

# complains STATUS TEXT ARGUMENTS...
complains() {
  local want=$1 text=$2 status sentence
  shift 2
  timeout 20 "$LHNODE" "$@" >"$out/stdout" 2>"$out/stderr" </dev/null
  status=$?
  same "exit status of $*" "$want" "$status"
  same "stdout of $*" "" "$(cat "$out/stdout")"
  sentence=$(grep -v -E '^[0-9-]+T[0-9:.]+Z ' "$out/stderr")
  [[ $want -ne 2 || $(wc -l <<<"$sentence") -eq 1 ]] || fail "$*: not one sentence: $sentence"
  has_text "stderr of $*" "$text" "$(cat "$out/stderr")"
}

start_coordinator || fail "no coordinator"
taken=${node_address[0]}
start_coordinator || fail "no second coordinator"
stop_node 1
free=${node_address[1]} # nobody listens there any more

complains 2 "--role"
complains 2 "--role" --role=server
complains 2 "--role" --role=
complains 2 "--colour" --role=coordinator --colour=red
complains 2 "--capacity" --role=coordinator --capcity=3
complains 2 "-c" -c 3
complains 2 "--capacity" --role=coordinator --capacity=0
complains 2 "--capacity" --role=coordinator --capacity=-1
complains 2 "--capacity" --role=coordinator --capacity=three
complains 2 "--capacity" --role=coordinator --capacity=
complains 2 "--capacity" --role=coordinator --capacity=99999999999999999999
complains 2 "--capacity" --role=coordinator --capacity=3 --capacity=4
complains 2 "--capacity" --role=bucket --coordinator="$taken" --capacity=3
complains 2 "--max-memory" --role=coordinator --max-memory=much
complains 2 "--split" --role=coordinator --split=sometimes
complains 2 "--hash" --role=coordinator --hash=sha256
complains 2 "--workers" --role=coordinator --workers=0
complains 2 "--workers" --role=coordinator --workers=256
complains 2 "--max-clients" --role=coordinator --max-clients=0
complains 2 "--idle-timeout" --role=coordinator --idle-timeout=1.5
complains 2 "--log-level" --role=coordinator --log-level=loud
complains 2 "--listen" --role=coordinator --listen=127.0.0.1
complains 2 "--listen" --role=coordinator --listen=127.0.0.1:65536
complains 2 "--listen" --role=coordinator --listen=127.0.0.1:-1
complains 2 "--listen" --role=coordinator --listen=nowhere.invalid:1
complains 2 "--listen" --role=coordinator --listen=0.0.0.0:0
complains 2 "--listen" --role=coordinator --listen=
complains 2 "--coordinator" --role=bucket
complains 2 "--coordinator" --role=bucket --coordinator=127.0.0.1:0
complains 2 "--coordinator" --role=bucket --coordinator=nowhere.invalid:1
complains 2 "--coordinator" --role=coordinator --coordinator="$taken"
complains 2 "--trace" --role=coordinator --trace
complains 2 "--listen" --role=client --listen=127.0.0.1:0
complains 2 "word" --role=coordinator word
complains 2 "config file /nowhere" --role=coordinator --config=/nowhere/at/all
complains 2 "config file ." --role=coordinator --config=.

# Known, but not in this version.
for flag in --auth-file=x --resp=cluster; do
  complains 2 "${flag%%=*}" --role=coordinator $flag
done
complains 2 "/nowhere/at" --role=coordinator --data-dir=/nowhere/at/all
complains 2 "--fsync" --role=coordinator --fsync=sometimes
complains 2 "--load-factor" --role=coordinator --load-factor=0.85
complains 2 "--split" --role=coordinator --split=token
complains 2 "--file" --role=client --file=1

# The port is taken; nobody is at the other end.
complains 2 "$taken" --role=coordinator --listen="$taken"
complains 2 "$taken" --role=bucket --coordinator="$taken" --listen="$taken"
complains 3 "$free" --role=bucket --coordinator="$free"
complains 3 "$free" --role=client --coordinator="$free" get k

# Help and version need nothing else.
has_text "--help" "--capacity" "$("$LHNODE" --help 2>&1)"
has_text "--version" "lhnode " "$("$LHNODE" --version 2>&1)"
finish
