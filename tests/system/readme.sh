#!/usr/bin/env bash
# Runs every command of the README, in order, as one shell session, and compares what it prints with
# what the README says. A block that starts with ```sh is run; a ```text block right behind it is the
# output. A line that ends in & starts a node: the next one waits for its ready line, as a reader
# would. The README's port is replaced by a free one.
. "$(dirname "$0")/harness.sh"

# A free port from below those that the system gives out by itself: it stays free while other tests
# start nodes and open connections.
read -r given_out _ </proc/sys/net/ipv4/ip_local_port_range
for ((tries = 0, port = 0; tries < 100; ++tries)); do
  port=$((given_out / 2 + RANDOM % (given_out / 2)))
  (exec {fd}<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
done

# The command that runs all tests is the one that is running now.
awk -v out="$out" '
  /^```sh$/ { ++block; kind = "sh"; print "block " block; next }
  /^```text$/ { kind = behind == block && block > 0 ? "text" : "other"; if (kind == "text") printf "" >(out "/want." block); next }
  /^```/ { if (kind == "sh") { print "end"; behind = block } kind = kind == "" ? "other" : ""; next }
  NF > 0 && kind == "" { behind = 0 }
  kind == "sh" && /^\.\/run_tests\.sh/ { print ": " $0; next }
  kind == "sh" && / &$/ { sub(/ &$/, ""); print "background " $0; next }
  kind == "sh" { print }
  kind == "text" { print >(out "/want." block) }
' README.md | sed "s/19528/$port/g; s|\./lhnode|$LHNODE|g" >"$out/commands"

cat >"$out/session" <<'SESSION'
set -eu
export LHNODE_COORDINATOR=127.0.0.1:$port
background() {
  local pipe=$out/pipe line
  mkfifo "$pipe"
  "$@" >"$pipe" 2>>"$out/nodes.log" &
  IFS= read -r -t 30 line <"$pipe"
  rm "$pipe"
  [[ $line == ready* ]]
}
block() { exec >"$out/got.$1"; }
end() { exec >>"$out/rest"; }
at_exit() { kill $(jobs -p) 2>/dev/null || true; wait; } # they may have ended already
trap at_exit EXIT
SESSION
cat "$out/commands" >>"$out/session"
out=$out port=$port timeout 900 bash "$out/session" </dev/null >"$out/rest" 2>&1 ||
  fail "a command of the README failed: $(tail -n 1 "$out/rest" "$out/nodes.log" 2>&1 | tr '\n' ' ')"

# Ports, process numbers and sizes differ from run to run. Which of the nodes an address is does not:
# in each output the first is node0, the next that differs node1, and so on.
masked() {
  sed -E 's/pid=[0-9]+/pid=N/g; s/bytes=[0-9]+/bytes=N/g' "$1" | awk '{
    printed = ""
    while (match($0, /127\.0\.0\.1:[0-9]+/)) {
      address = substr($0, RSTART, RLENGTH)
      if (!(address in node)) node[address] = "node" (count++)
      printed = printed substr($0, 1, RSTART - 1) node[address]
      $0 = substr($0, RSTART + RLENGTH)
    }
    print printed $0
  }'
}
compared=0
for want in "$out"/want.*; do
  number=${want##*.}
  masked "$want" >"$out/masked.want"
  masked "$out/got.$number" >"$out/masked.got"
  diff -u "$out/masked.want" "$out/masked.got" >"$out/diff" ||
    fail "block $number of the README prints something else: see $out/diff"
  compared=$((compared + 1))
done
[[ $compared -ge 3 ]] || fail "only $compared outputs in the README were compared"
finish
