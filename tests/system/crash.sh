#!/usr/bin/env bash
# Numbered writes from several connections while nodes are killed and started again: every write that
# was acknowledged is there afterwards, whatever was going on when its node died. The file splits all
# the time. ROUNDS rounds; a node that comes back has its data directory and another port.
. "$(dirname "$0")/harness.sh"

rounds=${ROUNDS:-6}
writers=3
capacity=40

start_coordinator --capacity=$capacity --workers=2 --data-dir="$out/data0" || fail "no coordinator"
coordinator=${node_address[0]}
for k in 1 2; do start_bucket --workers=2 --data-dir="$out/data$k" || fail "no bucket node $k"; done

# The place of each directory's node in the tables of the harness.
place=(0 1 2)

# Writer W talks to the node of directory W. It hears through a pipe where that is, each time that the
# node has come back.
for ((w = 0; w < writers; ++w)); do
  mkfifo "$out/ports$w"
  exec {ports[w]}<>"$out/ports$w"
  : >"$out/acknowledged$w"
done

# reach W: leaves a connection in fd. The ports in the pipe may be those of starts before the last.
reach() {
  until [[ -n $port ]] && exec {fd}<>"/dev/tcp/127.0.0.1/$port"; do
    IFS= read -r -t 60 -u "${ports[$1]}" port || return 1
  done
}

# write_numbers W: puts keys W-1, W-2, ... until it is told to stop, each when the one before has its
# answer, and notes those that were acknowledged.
write_numbers() {
  local w=$1 n fd= port= line
  for ((n = 1; ; ++n)); do
    [[ ! -e $out/stop ]] || return 0
    [[ -n $fd ]] || reach "$w" || return 1
    line=
    { printf 'PUT w%d-%d v%d\n' "$w" "$n" "$n" >&"$fd"; } 2>/dev/null &&
      IFS= read -r -t 5 -u "$fd" line
    if [[ $line == OK ]]; then
      echo "$n" >>"$out/acknowledged$w"
    elif [[ -z $line ]]; then
      exec {fd}>&-
      fd=
    fi
  done
}

for k in 0 1 2; do echo "${node_port[k]}" >&"${ports[k]}"; done
pids=()
for ((w = 0; w < writers; ++w)); do
  write_numbers "$w" 2>/dev/null &
  pids+=($!)
done

# Waits for so many more acknowledged writes.
await_writes() {
  local more
  more=$(timeout 60 tail -q -n 0 -f "$out"/acknowledged* | head -n "$1" | wc -l)
  [[ $more -eq $1 ]] || fail "the writers do not get on: $more of $1"
}

for ((round = 0; round < rounds; ++round)); do
  await_writes 150
  dir=$((round % 3))
  kill_node "${place[dir]}"
  if [[ $dir -eq 0 ]]; then
    start_node --role=coordinator --listen="$coordinator" --capacity=$capacity --workers=2 \
      --data-dir="$out/data0" || fail "round $round: the coordinator does not come back"
  else
    start_node --role=bucket --coordinator="$coordinator" --workers=2 --data-dir="$out/data$dir" ||
      fail "round $round: node $dir does not come back"
  fi
  place[dir]=$((${#node_pid[@]} - 1))
  echo "${node_port[place[dir]]}" >&"${ports[dir]}"
done
await_writes 150
: >"$out/stop"
for ((w = 0; w < writers; ++w)); do wait "${pids[w]}" || fail "writer $w does not find its node"; done

# All of them down at once, and back.
for dir in 0 1 2; do kill_node "${place[dir]}"; done
start_node --role=coordinator --listen="$coordinator" --capacity=$capacity --workers=2 \
  --data-dir="$out/data0" || fail "the coordinator does not come back"
place[0]=$((${#node_pid[@]} - 1))
for dir in 1 2; do
  start_node --role=bucket --coordinator="$coordinator" --workers=2 --data-dir="$out/data$dir" ||
    fail "node $dir does not come back"
  place[dir]=$((${#node_pid[@]} - 1))
done

settles() { [[ $(one "${place[0]}" SETTLE) == OK ]]; }
eventually 20 settles || fail "the file does not come to rest: $(one "${place[0]}" SETTLE)"
one "${place[1]}" BUCKETS >"$out/buckets"
: >"$out/wanted"
for ((w = 0; w < writers; ++w)); do
  [[ -s $out/acknowledged$w ]] || fail "writer $w wrote nothing"
  awk -v w="$w" '{ print "GET w" w "-" $1 }' "$out/acknowledged$w" >>"$out/queries"
  awk '{ print "v" $1 }' "$out/acknowledged$w" >>"$out/wanted"
done
ask "${place[2]}" <"$out/queries" >"$out/got"
cmp -s "$out/wanted" "$out/got" ||
  fail "acknowledged writes are lost: $(diff "$out/wanted" "$out/got" | grep -c '^<') of $(wc -l <"$out/wanted")"
grep -q "check failed" "$out"/node*.log && fail "a node stopped at a check: $(grep -h "check failed" "$out"/node*.log | head -n 1)"
buckets=$(grep -c '^bucket=' "$out/buckets")
[[ $buckets -ge 8 ]] || fail "the file did not grow: $buckets buckets"
count=$(one "${place[0]}" COUNT)
[[ $count -ge $(wc -l <"$out/wanted") ]] || fail "COUNT is $count"
finish
