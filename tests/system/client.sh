#!/usr/bin/env bash
# The native client as scripts use it: one command or many, its exit status, load and dump, what it
# does when a node or everything is gone.
. "$(dirname "$0")/harness.sh"

# gives STATUS OUTPUT ARGUMENTS...
gives() {
  local want_status=$1 want=$2 got status
  shift 2
  got=$(timeout 30 "$LHNODE" --role=client --coordinator="${node_address[0]}" "$@" </dev/null \
    2>"$out/stderr")
  status=$?
  same "output of $*" "$want" "$got"
  same "exit status of $*" "$want_status" "$status"
}

start_coordinator --capacity=50 --hash=integer || fail "no coordinator"
for k in 1 2 3; do start_bucket || fail "no bucket node"; done

gives 0 "OK" insert 1 one
gives 1 "ERR key exists" insert 1 uno
gives 0 "OK" update 1 uno
gives 1 "ERR no such key" update 2 due
gives 0 "uno" get 1
gives 1 "NOT FOUND" get 2
gives 1 "ERR key is not an integer" get x
gives 0 "OK" put 3 "three words here"
gives 0 "three words here" read 3
gives 0 "OK" delete 3
gives 1 "NOT FOUND" delete 3
gives 0 "1" count
gives 2 "" nonsense
gives 2 "" get
gives 2 "" put 1
gives 1 "ERR cannot read $out/nothing: No such file or directory" load "$out/nothing"

# Several commands: all are run, the worst decides.
printf 'PUT 5 five\nREAD 5\nREAD 6\nREAD 5\n' | client >"$out/batch"
same "exit status of a batch with a miss" 1 $?
same "its answers" "OK five NOT FOUND five " "$(tr '\n' ' ' <"$out/batch")"
printf 'PUT 5 five\nREAD 5\n' | client >/dev/null || fail "a batch without a miss"
printf 'PUT 6 six\nQUIT\nPUT 7 seven\n' | client >/dev/null
gives 1 "NOT FOUND" get 7

# What comes out can go in again.
for ((k = 0; k < 3000; ++k)); do printf '%d\tvalue %d with blanks\n' "$k" "$k"; done >"$out/records.tsv"
same "load" "OK 3000 records" "$(client load "$out/records.tsv" 2>/dev/null)"
client dump "$out/dump.tsv" >/dev/null 2>&1 || fail "dump"
sort "$out/records.tsv" >"$out/sorted"
sort "$out/dump.tsv" | cmp -s "$out/sorted" || fail "dump and load differ"
client dump - 2>/dev/null | sort | cmp -s "$out/sorted" || fail "a dump to stdout differs"
client --format=jsonl dump "$out/dump.jsonl" >/dev/null 2>&1 || fail "dump as JSON"
for ((k = 0; k < 3000; ++k)); do echo "DELETE $k"; done | client >/dev/null || fail "deleting"
gives 0 "0" count
same "load of JSON" "OK 3000 records" "$(client --format=jsonl load - <"$out/dump.jsonl" 2>/dev/null)"
client dump - 2>/dev/null | sort | cmp -s "$out/sorted" || fail "JSON lost something"
printf '9000\tgood\nno tab here\n9001\tgood too\n' | client load - >"$out/partly" 2>&1
same "exit status of a load with a bad line" 1 $?
has_text "it names the line" "2" "$(cat "$out/partly")"
gives 0 "good too" get 9001
client dump /nowhere/at/all >/dev/null 2>&1
same "exit status of a dump to nowhere" 1 $?

# Long values, which a line of text cannot carry.
head -c 3000000 /dev/zero | tr '\0' v >"$out/long"
{ printf '9002\t'; cat "$out/long"; echo; } | client load - >/dev/null 2>&1 || fail "a value of 3 MB"
client get 9002 | tr -d '\n' | cmp -s "$out/long" || fail "a value of 3 MB comes back different"

# Counting: without forwards a read is two messages.
has_text "--stats" "stats ops=1 messages=" "$(client --stats get 1 2>&1 >/dev/null)"

# A reader that goes away, and a file with a node missing.
client dump - 2>/dev/null | head -n 1 >/dev/null
kill_node 2
answers=$(for ((k = 0; k < 24; ++k)); do echo "READ $k"; done | client)
same "exit status with a node down" 3 $?
has_text "some keys are down" " is down" "$answers"
has_text "some are not" "value " "$answers"
client dump "$out/incomplete.tsv" >/dev/null 2>&1
same "exit status of a dump with a node down" 3 $?
[[ ! -e $out/incomplete.tsv ]] || fail "half a dump looks like a whole one"

# The others go on without their coordinator; a client that knows only it cannot start.
kill_node 0
"$LHNODE" --role=client --coordinator="${node_address[0]}" get 1 >/dev/null 2>"$out/stderr"
same "exit status without a coordinator" 3 $?
same "sentences on stderr" 1 "$(wc -l <"$out/stderr")"
has_text "the text client of another node" "OK" \
  "$(for ((k = 0; k < 20; ++k)); do echo "PUT $k v"; done | ask 1)"
memory_before=()
node_status[1]=gone node_status[3]=gone # looked at enough: their coordinator is dead
kill -TERM "${node_pid[1]}" "${node_pid[3]}"
finish
