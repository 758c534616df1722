#!/bin/sh
# Polls of an unchanged timing, beside nginx serving the same bytes as a static file, in one run on one machine.
#
#     cargo build --release -p greenkerb-api
#     benches/poll_against_nginx.sh [--check] [--seconds N] [--runs N] [--connections N]
#
# For each run and each of 200 (the whole body) and 304 (If-None-Match with the current tag) wrk loads first one server,
# then the other; every second run the other way round. Printed are requests per second, the ratio of each run, and the
# median ratio. With --check the exit code is 1 when a median is below 0.9. Exit code 2: it could not be measured.
#
# Both servers listen on loopback ports of their own, and both are stopped at the end. $GREENKERB names another binary
# than the release build of this work tree.
set -eu

GOAL=0.9
check= seconds=1 runs=15 connections=32

fail() { echo "poll_against_nginx: $*" >&2; exit 2; }
number() { case $2 in '' | *[!0-9]* | 0) fail "$1 takes a number above 0";; esac; }
while [ $# -gt 0 ]; do
  case $1 in
    --check) check=1; shift;;
    --seconds | --runs | --connections) number "$1" "${2:-}"; eval "${1#--}=$2"; shift 2;;
    -h | --help) sed -n '2,12s/^# \{0,1\}//p' "$0"; exit 0;;
    *) fail "unknown argument $1; --help tells which there are";;
  esac
done

PATH=$PATH:/usr/sbin:/usr/local/sbin
for tool in nginx wrk curl; do
  command -v "$tool" >/dev/null ||
    fail "$tool is missing; on Debian or Ubuntu: apt-get install nginx-light wrk curl (macOS: brew install nginx wrk curl)"
done
root=$(cd "$(dirname "$0")/.." && pwd)
greenkerb=${GREENKERB:-${CARGO_TARGET_DIR:-$root/target}/release/greenkerb}
[ -x "$greenkerb" ] || fail "$greenkerb is missing; build it: cargo build --release -p greenkerb-api"

work=$(mktemp -d)
service= nginx=
stop() {
  for process in $service $nginx; do kill "$process" 2>/dev/null || true; done
  for process in $service $nginx; do wait "$process" 2>/dev/null || true; done
  rm -rf "$work"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
mkdir "$work/html" "$work/data"

# Ours: a small street, its clock set by one observation; the first timing of every controller is then there.
"$greenkerb" serve --network "$root/models/tests/data/crossroads.net.xml" --clock external --listen 127.0.0.1:0 \
  --data "$work/data" >"$work/service.out" 2>"$work/service.err" &
service=$!
url=
for _ in $(seq 200); do
  url=$(sed -n 's/^listening on //p' "$work/service.out")
  [ -n "$url" ] && break
  kill -0 "$service" 2>/dev/null || break
  sleep 0.05
done
[ -n "$url" ] || fail "the service did not start: $(tail -n 3 "$work/service.err")"
detector=$(curl -sf "$url/v1/detectors" | tr -d '\n' | sed 's/^[^[]*\[{[^{}]*"name":"\([^"]*\)".*/\1/;q')
controller=$(curl -sf "$url/v1/controllers" | tr -d '\n' | sed 's/^[^[]*\[{[^{}]*"name":"\([^"]*\)".*/\1/;q')
curl -sf -o /dev/null -H 'content-type: application/json' "$url/v1/observations" -d '{"observations":[{"detector":"'"$detector"'",
  "begin":"1970-01-01T07:00:00Z","length_s":1,"count":0,"occupancy":0}]}' || fail "the service took no observation"
ours=$url/v1/controllers/$controller/timing
curl -sf "$ours" >"$work/html/timing.json" || fail "there is no timing at $ours"

# nginx: the same bytes as a file, kept open, on a port that nobody answers on.
if [ "$(id -u)" = 0 ]; then user="user $(id -un) $(id -gn);"; else user=; fi
static=
for _ in $(seq 20); do
  port=$((20000 + $(od -An -N2 -tu2 /dev/urandom) % 12000))
  curl -s -o /dev/null "http://127.0.0.1:$port/" && continue
  cat >"$work/nginx.conf" <<CONF
$user
worker_processes auto;
daemon off;
pid $work/nginx.pid;
error_log $work/nginx.log;
events { worker_connections 4096; }
http {
  client_body_temp_path $work/body; proxy_temp_path $work/proxy; fastcgi_temp_path $work/fastcgi;
  uwsgi_temp_path $work/uwsgi; scgi_temp_path $work/scgi;
  access_log off; sendfile on; tcp_nopush on; tcp_nodelay on; keepalive_requests 100000000;
  open_file_cache max=1000 inactive=60s; default_type application/json;
  server { listen 127.0.0.1:$port; root $work/html; }
}
CONF
  nginx -e "$work/nginx.log" -c "$work/nginx.conf" &
  nginx=$!
  for _ in $(seq 100); do
    kill -0 "$nginx" 2>/dev/null || break
    curl -sf -o /dev/null "http://127.0.0.1:$port/timing.json" && static=http://127.0.0.1:$port/timing.json && break
    sleep 0.05
  done
  [ -n "$static" ] && break
  kill "$nginx" 2>/dev/null || true
  wait "$nginx" 2>/dev/null || true
  nginx=
done
[ -n "$static" ] || fail "nginx did not start: $(tail -n 3 "$work/nginx.log")"

same_bodies() {
  curl -sf "$ours" >"$work/ours.body" && curl -sf "$static" >"$work/static.body" || fail "a server stopped answering"
  cmp -s "$work/ours.body" "$work/static.body" || fail "the two servers do not serve the same bytes"
}
tag() { curl -sf -D - -o /dev/null "$1" | tr -d '\r' | awk 'tolower($1) == "etag:" { print $2 }'; }
status() { curl -s -o /dev/null -w '%{http_code}' -H "If-None-Match: $(tag "$1")" "$1"; }
same_bodies
for at in "$ours" "$static"; do
  [ "$(status "$at")" = 304 ] || fail "$at does not answer 304 to its own tag"
done

# Requests per second; nothing when any request failed.
load() {
  wrk -t1 -c"$connections" -d"${seconds}s" "$@" >"$work/wrk.out"
  awk '/Requests\/sec/ { rate = $2 } /Non-2xx|Socket errors/ { bad = 1 } END { if (!bad) print rate }' "$work/wrk.out"
}
measure() {
  case $2 in
    304) rate=$(load -H "If-None-Match: $(tag "$1")" "$1");;
    *) rate=$(load "$1");;
  esac
  [ -n "$rate" ] || fail "requests to $1 failed: $(grep -E 'Non-2xx|Socket errors' "$work/wrk.out")"
}

# On a machine that does other work the ratio says little: two servers are measured one after the other.
awk '$1 > 0.5 { print "this machine is busy (load " $1 "): measure again when it is idle" }' /proc/loadavg 2>/dev/null >&2 || true
echo "body of $(wc -c <"$work/html/timing.json" | tr -d ' ') bytes, $connections connections, ${seconds} s each, requests per second"
echo
echo "| run | answer | greenkerb | nginx | ratio |"
echo "| --- | --- | --- | --- | --- |"
run=1
while [ "$run" -le "$runs" ]; do
  for answer in 200 304; do
    if [ $((run % 2)) = 1 ]; then
      measure "$ours" $answer; a=$rate; measure "$static" $answer; b=$rate
    else
      measure "$static" $answer; b=$rate; measure "$ours" $answer; a=$rate
    fi
    ratio=$(echo "$a $b" | awk '{ printf "%.3f", $1 / $2 }')
    echo "$ratio" >>"$work/ratios.$answer"
    echo "| $run | $answer | $a | $b | $ratio |"
  done
  run=$((run + 1))
done
same_bodies
echo
low=
for answer in 200 304; do
  median=$(sort -n "$work/ratios.$answer" | awk '{ r[NR] = $1 } END { h = int((NR + 1) / 2); printf "%.3f", NR % 2 ? r[h] : (r[h] + r[h + 1]) / 2 }')
  echo "median ratio of $answer: $median (goal: at least $GOAL)"
  if [ "$(echo "$median $GOAL" | awk '{ print ($1 < $2) }')" = 1 ]; then low=1; fi
done
[ -z "$check" ] || [ -z "$low" ] || exit 1
