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

# write_numbers W: puts keys W-1, W-2, ... until it is told to stop, each when the one before has its
# answer, and notes those that were acknowledged.
write_numbers() {
  local w=$1 n fd line k
  for ((n = 1; ; ++n)); do
    [[ ! -e $out/stop ]] || return 0
    if [[ -z ${fd:-} ]]; then
      k=$((w % 3))
      exec {fd}<>"/dev/tcp/127.0.0.1/$(cat "$out/port$k")" 2>/dev/null || { fd=; sleep 0.05; continue; }
    fi
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

for k in 0 1 2; do echo "${node_port[k]}" >"$out/port$k"; done
pids=()
for ((w = 0; w < writers; ++w)); do
  write_numbers "$w" 2>/dev/null &
  pids+=($!)
done

# Has so many more acknowledged writes: what a round waits for.
acknowledged() { cat "$out"/acknowledged* 2>/dev/null | wc -l; }
await_writes() {
  local wanted=$(($(acknowledged) + $1)) tries
  for ((tries = 0; tries < 600; ++tries)); do
    [[ $(acknowledged) -lt $wanted ]] || return 0
    sleep 0.05
  done
  fail "the writers do not get on: $(acknowledged) of $wanted"
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
  echo "${node_port[place[dir]]}" >"$out/port$dir"
done
await_writes 150
: >"$out/stop"
wait "${pids[@]}"

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

for ((tries = 0; tries < 100; ++tries)); do
  settled=$(one "${place[0]}" SETTLE)
  [[ $settled != OK ]] || break
  sleep 0.1
done
same "the file comes to rest" OK "$settled"
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
