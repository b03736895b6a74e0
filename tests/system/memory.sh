#!/usr/bin/env bash
# --max-memory: a full node refuses writes in every protocol, loses nothing, reads and deletes go on.
. "$(dirname "$0")/harness.sh"

start_coordinator --workers=2 --max-memory=8M || fail "no coordinator"
value=$(head -c 50000 /dev/zero | tr '\0' v)
for ((k = 0; k < 300; ++k)); do echo "INSERT $k $value"; done | ask 0 >"$out/filled"
taken=$(grep -c '^OK$' "$out/filled")
refused=$(grep -c "^ERR OOM command not allowed when used memory > 'maxmemory'.$" "$out/filled")
same "every answer is one or the other" 300 $((taken + refused))
# A node may go beyond by what comes in one turn.
[[ $taken -ge 120 && $taken -le 200 ]] || fail "$taken records of 50,000 bytes in 8 MiB"
same "what was taken is there" "$taken" "$(one 0 COUNT)"
same "and can be read" "$value" "$(one 0 'READ 0')"
has_text "RESP" "-OOM command not allowed when used memory > 'maxmemory'." \
  "$(printf '*3\r\n$3\r\nSET\r\n$1\r\n0\r\n$1\r\nx\r\n' | ask 0)"
has_text "INFO" "maxmemory:8388608" "$(printf '*2\r\n$4\r\nINFO\r\n$6\r\nmemory\r\n' | ask 0)"
answer=$(client put 0 x 2>&1)
same "exit status of the client" 1 $?
has_text "the client" "OOM command not allowed" "$answer"
for ((k = 0; k < 300; ++k)); do echo "DELETE $k"; done | ask 0 >"$out/deleted"
same "deletes go on" "$taken" "$(grep -c '^OK$' "$out/deleted")"
same "and make room" "OK" "$(one 0 'PUT 0 x')"
finish
