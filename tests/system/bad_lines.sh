#!/usr/bin/env bash
# Lines that are too long, unfinished, binary, or of another protocol. Each gets a clear error or a
# closed connection; the next connection is served.
. "$(dirname "$0")/harness.sh"

# bytes N CHARACTER
bytes() { head -c "$1" /dev/zero | tr '\0' "$2"; }

start_coordinator --capacity=1000 || fail "no coordinator"
same "first answers" "OK v NOT FOUND " "$(lines 0 'PUT k v' 'READ k' 'READ nothing')"
remember_memory

# The longest line is 64 KiB.
longest=$(bytes $((65536 - 8)) v)
same "a line of 64 KiB" "OK 65528 " \
  "$( { printf 'PUT big %s\n' "$longest"; } | ask 0 | tr '\n' ' ')$(one 0 'READ big' | tr -d '\n' | wc -c) "
same "64 KiB and CR LF" "OK" "$(printf 'PUT big %s\r\n' "$longest" | ask 0)"
{ printf 'PUT big %sx\n' "$longest"; echo PING; } | refused "64 KiB + 1" "ERR line too long" 0
bytes 1000000 x | refused "a megabyte without an end of line" "ERR line too long" 0
bytes 1000000 '"' | refused "a megabyte of quotes" "ERR line too long" 0
same "a megabyte of blank lines" "PONG" "$({ bytes 1000000 '\n'; echo PING; } | ask 0)"
same "a key of 65,000 bytes" "OK" "$(one 0 "PUT $(bytes 65000 k) v")"

# Half a command is none.
unfinished="ERR a line was begun and not finished"
same "half a line, then the end" "$unfinished" "$(printf 'PUT half v' | ask 0)"
same "nothing of it was done" "NOT FOUND" "$(one 0 'READ half')"
same "half a line behind a whole one" "OK" "$(printf 'PUT whole v\nPUT half v' | ask 0)"
same "nothing of that either" "v NOT FOUND " "$(lines 0 'READ whole' 'READ half')"

# Bytes that are no text.
same "NUL in a key" "ERR unprintable byte: write it as \\xHH in quotes" \
  "$(printf 'READ a\000b\n' | ask 0)"
same "all bytes" "$unfinished" "$(awk 'BEGIN { for (i = 128; i < 256; ++i) printf "%c", i }' | ask 0)"
awk 'BEGIN { srand(7); for (i = 0; i < 65536; ++i) printf "%c", int(rand() * 256) }' >"$out/noise"
ask 0 <"$out/noise" >/dev/null || fail "64 KiB of noise hang"
{ echo PING; cat "$out/noise"; } | ask 0 >/dev/null || fail "noise behind a command hangs"

# Other protocols on this port.
printf 'GET / HTTP/1.1\r\nHost: x\r\n\r\n' | refused "HTTP" "HTTP/1.1 501" 0
printf 'POST /x HTTP/1.0\r\nContent-Length: 4\r\n\r\nPUT ' | refused "HTTP POST" " 501 " 0
printf '\026\003\001\002\000\001\000\001\374\003\003' | refused "TLS" "" 0
same "a key named /" "NOT FOUND" "$(one 0 'GET /')"

# Ten thousand commands in one piece are answered in order.
for ((k = 0; k < 10000; ++k)); do printf 'PUT p %d\nREAD p\n' "$k"; done >"$out/pipelined"
for ((k = 0; k < 10000; ++k)); do printf 'OK\n%d\n' "$k"; done >"$out/wanted"
ask 0 <"$out/pipelined" >"$out/answers"
cmp -s "$out/wanted" "$out/answers" || fail "pipelined answers are out of order"

# What was stored before is there.
same "the record" "v" "$(one 0 'READ k')"
finish
