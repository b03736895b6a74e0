# The nodes of a file as processes of this shell: start them, talk to them, kill them, end them.
# Sourced by run_tests.sh, tools/quickstart and the tests; needs bash 4.4 and coreutils.
#
#   cluster_begin DIR              DIR gets the logs; everything ends when the shell exits
#   start_coordinator [flags]      node 0
#   start_bucket [flags]           nodes 1, 2, ...
#   ask K <lines                   sends text lines to node K, prints the answers
#   kill_node K; stop_node K       kill -9; SIGTERM, leaves its exit status in node_status[K]
#
# Node K has node_pid[K], node_port[K], node_address[K] and the log node_log[K]. Ports are free ones:
# a node is asked for port 0 and says in its ready line what it got. Nothing here waits by sleeping.

LHNODE=${LHNODE:-./lhnode}
READY_SECONDS=${READY_SECONDS:-30}
ASK_SECONDS=${ASK_SECONDS:-120}

# A variable that stands for a flag would reach every node: they get what the scripts say, no more.
for cluster_variable in "${!LHNODE_@}"; do unset "$cluster_variable"; done

cluster_dir=
node_pid=() node_port=() node_address=() node_log=() node_ready=() node_status=()

cluster_begin() {
  cluster_dir=$1
  mkdir -p "$cluster_dir"
  trap cluster_end EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
}

# start_node FLAGS...: false, with a sentence on stderr, when it does not get ready.
start_node() {
  local k=${#node_pid[@]} pipe fd line=
  pipe=$cluster_dir/ready.$k
  node_log[k]=$cluster_dir/node$k.log
  rm -f "$pipe" "${node_log[k]}"
  mkfifo "$pipe" || return 1
  # A session of its own: Ctrl-C at the terminal is for the shell, which then ends the nodes.
  setsid "$LHNODE" "$@" >"$pipe" 2>>"${node_log[k]}" &
  node_pid[k]=$!
  exec {fd}<"$pipe"
  rm -f "$pipe"
  IFS= read -r -t "$READY_SECONDS" -u "$fd" line
  if [[ $line != "ready role="*" listen="*" pid=${node_pid[k]}" ]]; then
    echo "node $k is not ready: $(tail -n 1 "${node_log[k]}")" >&2
    return 1
  fi
  node_ready[k]=$line
  node_address[k]=${line#*listen=}
  node_address[k]=${node_address[k]%% *}
  node_port[k]=${node_address[k]##*:}
}

start_coordinator() { start_node --role=coordinator --listen=127.0.0.1:0 "$@"; }

start_bucket() { start_node --role=bucket --coordinator="${node_address[0]}" "$@"; }

ask() { timeout "$ASK_SECONDS" nc -N 127.0.0.1 "${node_port[$1]}"; }

# client FLAGS-AND-WORDS...: the native client, told of the coordinator and nothing else.
client() { "$LHNODE" --role=client --coordinator="${node_address[0]}" "$@"; }

# exited PID SECONDS: waits until the process is gone; false when it is not.
exited() { timeout "$2" tail --pid="$1" --sleep-interval=0.02 -f /dev/null; }

# end_node K SIGNAL
end_node() {
  local k=$1 pid=${node_pid[$1]}
  [[ -n $pid && -z ${node_status[k]:-} ]] || return 0
  {
    kill -"$2" "$pid"
    exited "$pid" 10 || kill -KILL "$pid"
    wait "$pid"
    node_status[k]=$?
  } 2>/dev/null # the shell would tell that it was killed
}

kill_node() { end_node "$1" KILL; }
stop_node() { end_node "$1" TERM; }

# Ends what was started here: all are told at once, then waited for.
cluster_end() {
  local k
  for k in "${!node_pid[@]}"; do
    if [[ -z ${node_status[k]:-} ]]; then kill -TERM "${node_pid[k]}" 2>/dev/null; fi
  done
  for k in "${!node_pid[@]}"; do stop_node "$k"; done
}

# The resident memory of node K in KiB.
node_memory() { awk '/^VmRSS:/ { print $2 }' "/proc/${node_pid[$1]}/status"; }
