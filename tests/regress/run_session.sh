#!/usr/bin/env bash
# Runs one regression session: starts the nodes that tests/regress/NAME.run asks for, sends the
# queries, compares the answers. Called by run_tests.sh, from the top of the source tree.
#
#   tests/regress/run_session.sh NAME
#
# The first line of NAME.run holds the options, the rest is comment:
#   -n num       bucket nodes beside the coordinator (default 0)
#   -c capacity  records a bucket holds (default: the program's)
#   -s policy    --split
#   -H hash      --hash: mixed or integer
#   -b num       --max-buckets of every node
#   -f file      loaded first, by the client; path relative to the current directory
#   -t queries1,node1,queries2,node2,...
#                text lines from tests/queries/, sent one after the other; node 0 is the coordinator
#   -p           the queries of this -t go out in parallel (their answers are kept in order)
#   -C commands  lines from tests/queries/ for a fresh native client with --trace
#   -k node      kill -9 this node
#   -e expected  file under tests/expected/ (default: NAME)
# -t, -C and -k are steps, done in the order in which they stand; each may come several times.
#
# output/NAME/response has the answers of all steps, with node0, node1, ... for the addresses,
# bytes=* for memory and, after a load, * for the number of buckets of a scan; it is printed too.
# output/NAME/server.out has what the nodes printed and logged.
# NEW=1 writes the answers to the expected file, for a person to read.

set -u
cd "$(dirname "$0")/../.." || exit 1
. tools/cluster.sh

name=$1
out=output/$name
steps=() nodes=0 file= expected=$name coordinator_flags=() node_flags=()

exec 3>&1
die() {
  echo "$*" >&3
  exit 1
}

read_options() {
  local line words option parallel=
  read -r line <"tests/regress/$name.run" || die "no tests/regress/$name.run"
  read -ra words <<<"$line"
  set -- "${words[@]}"
  while getopts n:c:s:H:b:f:t:C:k:pe: option; do
    case $option in
      n) nodes=$OPTARG ;;
      c) coordinator_flags+=("--capacity=$OPTARG") ;;
      s) coordinator_flags+=("--split=$OPTARG") ;;
      H) coordinator_flags+=("--hash=$OPTARG") ;;
      b) node_flags+=("--max-buckets=$OPTARG") ;;
      f) file=$OPTARG ;;
      t) steps+=("send${parallel} $OPTARG") parallel= ;;
      p) mark_parallel ;;
      C) steps+=("native $OPTARG") ;;
      k) steps+=("kill_node $OPTARG") ;;
      e) expected=$OPTARG ;;
      *) die "tests/regress/$name.run: bad options" ;;
    esac
  done
}

# -p belongs to the -t before it; when there is none yet, to the next.
mark_parallel() {
  local last=$((${#steps[@]} - 1))
  if [[ $last -ge 0 && ${steps[last]} == "send "* ]]; then
    steps[last]="send_parallel ${steps[last]#send }"
  else
    parallel=_parallel
  fi
}

# send queries1,node1,...
send() {
  local pairs k
  IFS=, read -ra pairs <<<"$1"
  for ((k = 0; k + 1 < ${#pairs[@]}; k += 2)); do
    ask "${pairs[k + 1]}" <"tests/queries/${pairs[k]}" || die "node ${pairs[k + 1]} hung up"
  done
}

send_parallel() {
  local pairs k senders=() sender
  IFS=, read -ra pairs <<<"$1"
  for ((k = 0; k + 1 < ${#pairs[@]}; k += 2)); do
    ask "${pairs[k + 1]}" <"tests/queries/${pairs[k]}" >"$out/answers.$k" &
    senders+=($!)
  done
  for sender in "${senders[@]}"; do wait "$sender" || die "a sender failed"; done
  for ((k = 0; k + 1 < ${#pairs[@]}; k += 2)); do cat "$out/answers.$k"; done
  rm -f "$out"/answers.*
}

native() { client --trace <"tests/queries/$1" 2>&1; }

start_nodes() {
  local k
  cluster_begin "$out"
  start_coordinator "${coordinator_flags[@]}" "${node_flags[@]}" || exit 1
  for ((k = 1; k <= nodes; ++k)); do start_bucket "${node_flags[@]}" || exit 1; done
}

# Addresses differ from run to run, bytes with the layout of a table, and the number of buckets with
# how many inserts of a load were under way when it came to a split.
normalised() {
  local k edits=(-e 's/bytes=[0-9]*/bytes=*/')
  [[ -z $file ]] || edits+=(-e 's/from [0-9]* buckets$/from * buckets/')
  for k in "${!node_address[@]}"; do edits+=(-e "s/${node_address[k]//./\\.}\\b/node$k/g"); done
  sed "${edits[@]}"
}

run_steps() {
  local step
  for step in "${steps[@]}"; do $step; done
}

collect_logs() {
  local k
  for k in "${!node_pid[@]}"; do
    echo "== node $k: ${node_ready[k]:-}"
    cat "${node_log[k]}"
    rm -f "${node_log[k]}"
  done >"$out/server.out"
}

check_exits() {
  local k steps_done=" ${steps[*]} "
  for k in "${!node_pid[@]}"; do
    if [[ ${node_status[k]} -ne 0 && $steps_done != *" kill_node $k "* ]]; then
      die "node $k ended with status ${node_status[k]}: see $out/server.out"
    fi
  done
}

read_options "$@"
rm -rf "$out"
mkdir -p "$out"
start_nodes
if [[ -n $file ]]; then client load "$file" >/dev/null || die "cannot load $file"; fi
run_steps >"$out/answers"
normalised <"$out/answers" >"$out/response"
rm "$out/answers"
cat "$out/response"
cluster_end
collect_logs
if [[ -n ${NEW:-} ]]; then cp "$out/response" "tests/expected/$expected"; fi
diff -u "tests/expected/$expected" "$out/response" >"$out/diff" || die "answers differ: see $out/diff"
check_exits
