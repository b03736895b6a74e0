#!/usr/bin/env bash
# Builds what is missing and runs every test. See usage() for the options.
set -u
cd "$(dirname "$0")" || exit 1
. tools/prepare.sh

usage() {
  cat <<'TEXT'
usage: ./run_tests.sh [-h] [-n] [-v] [-l] [-t NAME] [--full]

Builds what is missing and runs everything: unit tests (scenarios among them), the simulator, the
regression sessions and system tests against real processes, the commands of the README. On Debian
and Ubuntu it installs what it needs and lacks, as root or with sudo.

  -h        this text
  -t NAME   one regression session or system test; -l lists them
  -l        the names of those tests
  -v        show the output of the tests
  -n        no colour
  --full    also: everything with the address and thread sanitizers, and 10,000 seeds

The last line is "N passed, M failed"; the exit status is 1 when M is not 0.

A regression session is a file tests/regress/NAME.run. Its first line holds the options, the rest is
comment:
  -n num      bucket nodes beside the coordinator       -c capacity  records a bucket holds
  -s policy   --split of the coordinator                -H hash      --hash: mixed or integer
  -b num      --max-buckets of every node               -e expected  file under tests/expected/
  -f file     loaded first; path from the current directory
  -t queries1,node1,queries2,node2,...
              files under tests/queries/, sent in turn; node 0 is the coordinator
  -p          the files of this -t go out in parallel
  -C commands file under tests/queries/ for a fresh native client with --trace
  -k node     kill -9 of this node
-t, -C and -k are done in the order in which they stand. What came back is in output/NAME/response,
what the nodes said in output/NAME/server.out.
TEXT
}

colour=1 verbose= full= only=
label= # in front of a test's name: which build it is about
RESULTS=output/results
UNIT=build/plain/unit_tests
SEEDS=1..200

red= green= plain=
use_colour() {
  [[ -n $colour && -t 1 && -z ${NO_COLOR:-} ]] || return 0
  red=$'\e[31m' green=$'\e[32m' plain=$'\e[0m'
}

# record passed|failed NUMBER WHAT [WHY]: one line for people, one for the sum. Called by parallel
# tests too: each is a single short write.
record() {
  local mark="${green}passed${plain}"
  [[ $1 == failed ]] && mark="${red}FAILED${plain}"
  printf '%s  %s%s\n' "$mark" "$3" "${4:+: $4}"
  echo "$1 $2" >>"$RESULTS"
}

count() { awk -v what="$1" '$1 == what { n += $2 } END { print n + 0 }' "$RESULTS"; }

# check NAME SECONDS COMMAND...: one test, by its exit status; the last line it prints is the reason.
check() {
  local name=$label$1 limit=$2 begin=$SECONDS status log
  log=output/log/${name//[ \/:]/_}
  shift 2
  timeout --kill-after=20 "$limit" "$@" >"$log" 2>&1 </dev/null
  status=$?
  [[ -z $verbose ]] || sed "s|^|$name: |" "$log"
  if [[ $status -eq 0 ]]; then
    record passed 1 "$name ($((SECONDS - begin)) s)"
  elif [[ $status -eq 124 ]]; then
    record failed 1 "$name" "not done in $limit s, see $log"
  else
    record failed 1 "$name" "$(tail -n 1 "$log")"
  fi
}

# ------------------------------------------------------------------------------- the kinds of tests

# unit_tests BINARY NAME: in as many processes as there are cores.
unit_tests() {
  local shards shard pids=() logs=()
  shards=$(nproc)
  for ((shard = 0; shard < shards; ++shard)); do
    logs[shard]=output/log/$2.$shard
    GTEST_TOTAL_SHARDS=$shards GTEST_SHARD_INDEX=$shard timeout 600 \
      "$1" --gtest_brief=1 --gtest_color=no >"${logs[shard]}" 2>&1 </dev/null &
    pids[shard]=$!
  done
  for ((shard = 0; shard < shards; ++shard)); do
    wait "${pids[shard]}"
    count_unit_tests $? "${logs[shard]}" "$2"
  done
}

# count_unit_tests STATUS LOG NAME: what googletest says of a process, which may have died over it.
count_unit_tests() {
  local passed failed
  [[ -z $verbose ]] || cat "$2"
  passed=$(sed -n 's/^\[  PASSED  \] \([0-9]*\) test.*/\1/p' "$2")
  failed=$(grep -cE '^\[  FAILED  \] [A-Za-z].* ms\)$' "$2")
  if [[ ${passed:-0} -gt 0 ]]; then record passed "$passed" "$3 (${passed} tests)"; fi
  if [[ $failed -gt 0 ]]; then
    grep -E '^\[  FAILED  \] [A-Za-z].* ms\)$' "$2"
    record failed "$failed" "$3" "see $2"
  elif [[ $1 -ne 0 ]]; then
    record failed 1 "$3" "ended with status $1: $(tail -n 1 "$2")"
  fi
}

# simulator BINARY SEEDS NAME
simulator() {
  check "$3 --seeds $2" 3600 "$1" --seeds "$2"
  check "$3 --canaries" 1200 "$1" --canaries
}

# What stands here alone wants the machine for itself: it looks at the clock.
ALONE=(system/dead_node system/signals)

session_names() {
  local file
  for file in tests/regress/*.run; do basename "$file" .run; done
}
system_names() {
  local file
  for file in tests/system/*.sh; do
    [[ $file == */harness.sh ]] || echo "system/$(basename "$file" .sh)"
  done
}

# run_one NAME: a regression session, or a system test with or without its folder.
run_one() {
  local name=${1#system/}
  if [[ $1 != system/* && -f tests/regress/$name.run ]]; then
    check "$name" 300 tests/regress/run_session.sh "$name"
  elif [[ -f tests/system/$name.sh ]]; then
    check "system/$name" 300 "tests/system/$name.sh"
  else
    record failed 1 "$1" "there is no such test; -l lists them"
  fi
}

is_alone() { [[ " ${ALONE[*]} " == *" $1 "* ]]; }

# Sessions mostly wait, so there may be more of them than cores.
sessions() {
  local name jobs=$((2 * $(nproc)))
  for name in $(session_names) $(system_names); do
    is_alone "$name" && continue
    while [[ $(jobs -rp | wc -l) -ge $jobs ]]; do wait -n; done
    run_one "$name" &
  done
  wait
  for name in "${ALONE[@]}"; do run_one "$name"; done
}

# Another version of clang-format has another taste.
format() {
  local version
  version=$(clang-format --version 2>/dev/null | grep -o 'version [0-9]*' | grep -o '[0-9]*')
  if [[ $version != 14 ]]; then
    echo "skipped format: clang-format 14 is not installed"
    return
  fi
  find src include tests tools -name '*.cc' -o -name '*.h' | sort >output/sources
  check format 300 xargs -a output/sources clang-format --dry-run --Werror
}

sanitized() {
  local mode
  for mode in asan tsan; do
    build "$mode" || exit 1
    unit_tests "build/$mode/unit_tests" "unit tests, $mode"
    if [[ -x build/$mode/tools/lhsim ]]; then simulator "build/$mode/tools/lhsim" 1..200 "lhsim, $mode"; fi
    label="$mode: " LHNODE=$PWD/build/$mode/lhnode SANITIZED=1 sessions
  done
}

everything() {
  build all programs || exit 1
  unit_tests "$UNIT" "unit tests"
  format
  if [[ -x tools/lhsim ]]; then simulator tools/lhsim "$SEEDS" lhsim; fi
  sessions
  if [[ -n $full ]]; then sanitized; fi
}

# ------------------------------------------------------------------------------------------- start

while [[ $# -gt 0 ]]; do
  case $1 in
    -h | --help) usage && exit 0 ;;
    -l) { session_names && system_names; } && exit 0 ;;
    -n) colour= ;;
    -v) verbose=1 ;;
    -t)
      [[ -n ${2-} ]] || { usage >&2 && exit 2; }
      only=$2 && shift
      ;;
    --full) full=1 SEEDS=1..10000 ;;
    *) usage >&2 && exit 2 ;;
  esac
  shift
done
use_colour
mkdir -p output/log
: >"$RESULTS"
prepare_packages g++ make netcat-openbsd $([[ -n $only ]] || echo libgtest-dev) || exit 1

if [[ -n $only ]]; then
  [[ -n ${LHNODE:-} ]] || build all || exit 1
  run_one "$only"
else
  everything
fi
failed=$(count failed)
echo "$(count passed) passed, $failed failed"
[[ $failed -eq 0 ]]
