#!/usr/bin/env bash
# The benchmark of the native client against three nodes: what it loads is there, what it counts
# adds up, in words and in JSON. And the comparison with others, tools/bench_peers.
. "$(dirname "$0")/harness.sh"

start_coordinator --capacity=500 || fail "no coordinator"
for k in 1 2; do start_bucket || fail "no bucket node"; done

# number NAME: of the last phase in the JSON report.
number() { sed -n "s/.*\"name\":\"workload.*\"$1\":\([0-9.]*\).*/\1/p" "$out/report"; }

for workload in a b c d f; do
  client bench --workload=$workload --records=5000 --ops=4000 --value-size=32 --clients=4 --depth=8 \
    --json >"$out/report" || fail "workload $workload: status $?"
  same "operations of $workload" 4000 "$(sed -n 's/.*"name":"workload [a-f]","operations":\([0-9]*\).*/\1/p' "$out/report")"
  same "not found by $workload" 0 "$(number not_found)"
  same "failed in $workload" 0 "$(number failed)"
  [[ $workload != d ]] || inserted=$(grep -o '"insert":{"count":[0-9]*' "$out/report" | tail -n 1 | grep -o '[0-9]*$')
done
[[ $inserted -gt 100 ]] || fail "workload d inserted $inserted records"
same "records in the file" $((5000 + inserted)) "$(one 1 COUNT)"
same "a value" 32 "$(one 2 "GET user000000004999" | tr -d '\n' | wc -c)"
[[ $(one 0 FILE) == *" buckets="[1-9][0-9]* ]] || fail "the file did not grow: $(one 0 FILE)"

client bench --records=1000 --ops=2000 --rate=20000 --keys=uniform >"$out/report" || fail "in words: status $?"
has_text "the report" "workload a: 2000 operations in " "$(cat "$out/report")"
client bench --workload=x >"$out/report" 2>"$out/error"
same "exit status for a bad flag" 2 $?
has_text "a bad flag" "--workload=x" "$(cat "$out/error")"

# The bare server that others are measured against: an answer of fixed bytes for each request of a
# fixed size, however they are cut.
LHNODE=tools/lhlimit start_node --value-size=3 || fail "no bare server"
get=$'*2\r\n$3\r\nGET\r\n$1\r\nk\r\n'
{ printf '%s' "$get$get${get:0:5}" && cat <(printf '%s' "${get:5}$get"); } | ask 3 >"$out/got"
same "answers to four GETs" "$(printf '$3\r\nxxx\r\n%.0s' 1 2 3 4)" "$(cat "$out/got")"
printf '*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n' | ask 3 >"$out/got"
same "the answer to a SET" $'+OK\r' "$(cat "$out/got")"
kill_node 3

# The comparison itself, with whatever of the others is installed.
tools/bench_peers --out="$out/peers" --keys=1000 --records=2000 --rounds=1 cpu memory latency >"$out/report" 2>&1 ||
  fail "bench_peers: status $?: $(tail -n 1 "$out/report")"
grep -Eq '^lhnode +[0-9.]+ ' "$out/report" || fail "no memory of lhnode: see $out/report"
grep -q '^p99.9 while growing is [0-9.]* times' "$out/report" || fail "no latency: see $out/report"
finish
