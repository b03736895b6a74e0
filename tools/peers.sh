# lhnode and what it is measured against, as processes on a core of their own, and how they are
# measured. Sourced by tools/bench_peers, on top of tools/cluster.sh.
#
#   start_lhnode [flags]; start_limit     a node alone; the bare server
#   start_redis DIR [flags]               its files and log in DIR
#   start_memcached
#   start_server NAME                     one of these, without flags
#   stop_server                           the one in $pid
#   feed KIND FIRST LAST COUNT            requests for records, to $port, until all are answered
#
# Starting leaves the process in $pid and its port in $port. WITH: words in front of the command of
# nodes and Redis. The files of all are in $out.

server_core=0 client_core=$(($(nproc) > 1 ? 1 : 0))
pid= port=
other_pids=()
WITH=

die() {
  echo "bench_peers: $*" >&2
  exit 1
}
has() { command -v "$1" >/dev/null; }
on_client_core() { taskset -c "$client_core" "$@"; }
# All its threads.
pin() { taskset -a -p -c "$server_core" "$1" >/dev/null || die "cannot pin process $1"; }

# The program may stand behind others in one word.
start_program() {
  local program=$1
  shift
  printf '#!/bin/sh\nexec %s %s "$@"\n' "$WITH" "$program" >"$out/program"
  chmod +x "$out/program"
  LHNODE=$out/program start_node "$@" || die "$program does not start"
  pid=${node_pid[-1]} port=${node_port[-1]}
  pin "$pid"
}
start_lhnode() {
  start_program "$LHNODE" --role=coordinator --listen=127.0.0.1:0 --workers=1 --log-level=warn "$@"
}
start_limit() { start_program tools/lhlimit; }

# From below those that the system gives out by itself: it stays free.
find_port() {
  local given_out tries
  read -r given_out _ </proc/sys/net/ipv4/ip_local_port_range
  for ((tries = 0; tries < 100; ++tries)); do
    port=$((given_out / 2 + RANDOM % (given_out / 2)))
    (exec {fd}<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || return 0
  done
  die "no free port"
}

# said TEXT LOG: waits until the log has it.
said() { timeout 600 tail -n +1 -f "$2" | grep -qF -m 1 -e "$1"; }

start_redis() {
  local dir=$1
  shift
  mkdir -p "$dir"
  find_port
  : >"$dir/log"
  $WITH redis-server --port "$port" --bind 127.0.0.1 --dir "$dir" --logfile "$dir/log" --save '' \
    --daemonize no "$@" >/dev/null 2>"$dir/errors" &
  pid=$!
  other_pids+=("$pid")
  said "Ready to accept connections" "$dir/log" || die "redis-server does not start: see $dir/log"
  pin "$pid"
}

start_memcached() {
  local line
  find_port
  rm -f "$out/listening"
  mkfifo "$out/listening"
  # It says that it listens only to those who want to hear everything.
  memcached -vv -u nobody -l 127.0.0.1 -p "$port" -U 0 -t 1 -m 16384 >/dev/null \
    2> >(grep -F -m 1 "server listening" >"$out/listening" && cat >/dev/null) &
  pid=$!
  other_pids+=("$pid")
  IFS= read -r -t 30 line <"$out/listening" || die "memcached does not start"
  pin "$pid"
}

start_server() {
  case $1 in
    lhnode) start_lhnode ;;
    redis) start_redis "$out/redis" ;;
    memcached) start_memcached ;;
    limit) start_limit ;;
  esac
}

stop_server() { stop_process "$pid" TERM; }

# stop_process PID SIGNAL: of a node or of another server.
stop_process() {
  local k
  for k in "${!node_pid[@]}"; do
    [[ ${node_pid[k]} != "$1" ]] || { end_node "$k" "$2" && return; }
  done
  {
    kill -"$2" "$1"
    exited "$1" 120 || kill -KILL "$1"
    wait "$1"
  } 2>/dev/null
}

stop_all() {
  local other
  for other in "${other_pids[@]}"; do stop_process "$other" TERM; done
  other_pids=()
  cluster_end
}

# Nanoseconds on a processor, user's and system's, of all threads.
cpu_ns() { awk '{ ns += $1 } END { printf "%.0f", ns }' "/proc/$1"/task/*/schedstat; }

# memory_kib FIELD: VmRSS, VmHWM.
memory_kib() { awk -v field="$1:" '$1 == field { print $2 }' "/proc/$pid/status"; }

# Requests of KIND for records FIRST to LAST of COUNT, in an order that has nothing to do with their
# keys: the step and COUNT have no divisor in common.
requests() {
  awk -v kind="$1" -v first="$2" -v last="$3" -v count="$4" '
    function gcd(a, b) { return b == 0 ? a : gcd(b, a % b) }
    BEGIN {
      for (step = 7368787; gcd(step, count) != 1; ++step) {}
      value = "abcdefghijklmnopqrstuvwxyz012345"
      for (i = first; i < last; ++i) {
        key = sprintf("key:%012d", i * step % count)
        if (kind == "set") printf "*3\r\n$3\r\nSET\r\n$16\r\n%s\r\n$32\r\n%s\r\n", key, value
        else if (kind == "del") printf "*2\r\n$3\r\nDEL\r\n$16\r\n%s\r\n", key
        else if (kind == "memcached-set") printf "set %s 0 0 32\r\n%s\r\n", key, value
        else if (kind == "memcached-del") printf "delete %s\r\n", key
      }
      # memcached says nothing to that, the others one line more.
      printf (kind ~ /^memcached/ ? "quit\r\n" : "*1\r\n$4\r\nQUIT\r\n")
    }'
}

feed() {
  local answers wanted=$(($3 - $2))
  [[ $1 == memcached-* ]] || ((++wanted))
  answers=$(requests "$@" | on_client_core nc 127.0.0.1 "$port" | wc -l)
  [[ $answers -eq $wanted ]] || die "$answers answers instead of $wanted to $1"
}
