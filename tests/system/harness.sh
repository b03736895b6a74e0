# What the system tests share: real processes, real sockets, one verdict. A test is a script that
# sources this, says `fail WHY` or comes to `finish`, and prints `ok` or `FAIL why`.
#
# finish asks every node that should be there for an answer, looks at its memory, ends it with
# SIGTERM and wants exit status 0. Nodes that the test itself ended are left out.

set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
. tools/cluster.sh

# However badly a client behaves, a node must not grow by more than this.
GROWTH_MAX_KIB=65536

out=output/system/$(basename "$0" .sh)
rm -rf "$out"
cluster_begin "$out"
memory_before=()

# Ends the test, from within a pipeline too.
fail() {
  echo "FAIL $*"
  if [[ $BASHPID -ne $$ ]]; then kill -USR1 $$; fi
  exit 1
}
trap 'exit 1' USR1

# same WHAT WANTED GOT
same() { [[ $3 == "$2" ]] || fail "$1: '${3:0:300}' instead of '${2:0:300}'"; }

# has_text WHAT WANTED GOT: GOT contains WANTED.
has_text() { [[ $3 == *"$2"* ]] || fail "$1: no '${2:0:300}' in '${3:0:300}'"; }

# one K LINE: the answer to one line.
one() { printf '%s\n' "$2" | ask "$1"; }

# lines K LINE...: the answers to several, on one line, each followed by a blank.
lines() {
  local k=$1
  shift
  printf '%s\n' "$@" | ask "$k" | tr '\n' ' '
}

# remember_memory: call it when the nodes have done everything once.
remember_memory() {
  local k
  for k in "${!node_pid[@]}"; do memory_before[k]=$(node_memory "$k"); done
}

check_memory() {
  local k grown
  [[ -z ${SANITIZED:-} ]] || return 0 # a sanitizer keeps what was freed
  for k in "${!memory_before[@]}"; do
    [[ -z ${node_status[k]:-} ]] || continue
    grown=$(($(node_memory "$k") - memory_before[k]))
    [[ $grown -le $GROWTH_MAX_KIB ]] || fail "node $k grew by $grown KiB"
  done
}

# With a key that the test does not need.
spare_key=0
still_serves() {
  local answers
  answers=$(ASK_SECONDS=20 lines "$1" "PUT $spare_key served" "READ $spare_key" "DELETE $spare_key")
  same "node $1 still serves" "OK served OK " "$answers"
}

# connect NAME K: opens a connection to node K as the file descriptor $NAME.
connect() { exec {fd_opened}<>"/dev/tcp/127.0.0.1/${node_port[$2]}" && printf -v "$1" %s "$fd_opened"; }

# talk K SECONDS <bytes: sends them, prints what comes until the node closes. Unlike ask, it does not
# end its own half. Status 124: the node did not close in time.
talk() {
  local fd status
  connect fd "$1" || return 1
  cat >&"$fd" 2>/dev/null
  timeout "$2" cat <&"$fd" 2>/dev/null
  status=$?
  exec {fd}>&-
  return $status
}

# refused WHAT WANTED K <bytes: the node answers with this text somewhere in it and closes, at once.
refused() {
  talk "$3" 5 >"$out/answer"
  [[ $? -ne 124 ]] || fail "$1: the connection stays open"
  has_text "$1" "$2" "$(tr -d '\000' <"$out/answer")"
}

# timed COMMAND...: runs it and leaves the milliseconds it took in elapsed_ms.
timed() {
  local begin=${EPOCHREALTIME/[.,]/} status
  "$@"
  status=$?
  elapsed_ms=$(((${EPOCHREALTIME/[.,]/} - begin) / 1000))
  return $status
}

# logged K SECONDS TEXT: waits until node K has said so in its log.
logged() { timeout "$2" tail -n +1 -f "${node_log[$1]}" | grep -qF -m 1 -e "$3"; }

# eventually SECONDS COMMAND...: tries until it holds; false when it does not in time. For what tells
# nobody when it happens; everything else is waited for itself.
eventually() {
  local give_up=$((SECONDS + $1))
  shift
  until "$@"; do
    [[ $SECONDS -lt $give_up ]] || return 1
    sleep 0.05
  done
}

finish() {
  local k
  for k in "${!node_pid[@]}"; do
    if [[ -z ${node_status[k]:-} ]]; then
      still_serves "$k"
      ended_here+=("$k")
    fi
  done
  check_memory
  cluster_end
  for k in "${ended_here[@]}"; do
    same "exit status of node $k after SIGTERM" 0 "${node_status[k]}"
  done
  echo ok
}
ended_here=()
