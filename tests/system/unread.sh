#!/usr/bin/env bash
# Sixty clients ask for the whole file and never read. Together they get no more memory than all
# results may take, those beyond it are told so, and whoever reads is served meanwhile.
. "$(dirname "$0")/harness.sh"

RESULTS_MAX_KIB=$((256 * 1024))

start_coordinator --workers=2 || fail "no coordinator"
value=$(head -c 60000 /dev/zero | tr '\0' v)
for ((k = 0; k < 125; ++k)); do echo "PUT $k $value"; done | ask 0 >"$out/filled"
same "records put" 125 "$(grep -c OK "$out/filled")"
before=$(node_memory 0)

readers=()
for ((k = 0; k < 60; ++k)); do
  connect fd 0
  readers+=("$fd")
  echo 'SCAN ""' >&"$fd"
done
closed() {
  local info
  info=$(printf '*2\r\n$4\r\nINFO\r\n$5\r\nstats\r\n' | ask 0 | tr -d '\r')
  has_text "INFO stats" "client_output_buffer_limit_disconnections:" "$info"
  [[ ! $info =~ disconnections:0 ]]
}
most=0
served=0
until closed; do
  same "a client that reads" PONG "$(one 0 PING)"
  now=$(node_memory 0)
  ((most = now > most ? now : most, ++served))
  [[ $served -lt 2000 ]] || fail "nobody is closed"
done
now=$(node_memory 0)
((most = now > most ? now : most))
# Beside the results: a buffer of up to two megabytes a connection.
[[ -n ${SANITIZED:-} || $((most - before)) -le $((RESULTS_MAX_KIB + 60 * 2048 + GROWTH_MAX_KIB)) ]] ||
  fail "the node grew by $((most - before)) KiB"
refused=0
for fd in "${readers[@]}"; do
  timeout 20 sed -E '/^(ERR|END) /q' <&"$fd" 2>/dev/null |
    grep -q '^ERR too many results under way' && ((++refused))
  exec {fd}>&-
done
[[ $refused -gt 0 ]] || fail "nobody was refused"
# What they took goes back to the system, and not only to the node's own heap.
given_back() { [[ $(node_memory 0) -le $((before + GROWTH_MAX_KIB)) ]]; }
if [[ -z ${SANITIZED:-} ]]; then
  eventually 20 given_back || fail "the node keeps $(($(node_memory 0) - before)) KiB"
fi
same "the same for one that reads" 125 "$(one 0 'SCAN ""' | grep -c ' v')"
finish
