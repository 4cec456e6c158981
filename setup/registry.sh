#!/bin/sh
# registry.sh start|stop|status|url: a private registry on a free loopback port, storing under .cache/run/registry.
# Loopback needs no TLS, and it starts empty every time.
set -eu
# shellcheck source=setup/common.sh
. "$(dirname "$0")/common.sh"

place=$run/registry

pid() { cat "$place/pid" 2>/dev/null || true; }

address() { cat "$place/address"; }

running() { owns "$(pid)" "$place/config.yml"; }

answers() {
  running && python3 -c 'import sys, urllib.request; urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
    sys.argv[1], timeout=5)' "http://$(address)/v2/"
}

# Unpacked rather than installed: the package would start a registry of its own on a machine with systemd.
provide() {
  if command -v docker-registry >/dev/null 2>&1; then return 0; fi
  "$root/setup/unpack.sh" bookworm "$cache/engines/registry" docker-registry
  PATH=$cache/engines/registry/usr/bin:$PATH
}

start() {
  mkdir -p "$place"
  exec 9>"$place/lock"
  flock 9
  if answers 2>/dev/null; then
    exec 9>&-
    return 0
  fi
  provide
  rm -rf "$place/storage"
  mkdir "$place/storage"
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print("127.0.0.1:%d" % s.getsockname()[1])' \
    >"$place/address"
  cat >"$place/config.yml" <<YAML
version: 0.1
log: {level: warn}
storage:
  filesystem: {rootdirectory: "$place/storage"}
  delete: {enabled: true}
http: {addr: "$(address)", secret: "of one run"}
YAML
  (
    exec 9>&-
    exec setsid docker-registry serve "$place/config.yml" </dev/null >"$place/registry.log" 2>&1
  ) &
  echo $! >"$place/pid"
  if ! await 20 answers; then
    stop
    fail "the registry does not answer: $(tail -n 1 "$place/registry.log")" "the whole log: $place/registry.log"
  fi
  exec 9>&-
}

stop() {
  if running; then
    kill "$(pid)"
    await 10 gone || kill -KILL "$(pid)" 2>/dev/null || true
  fi
  rm -rf "$place/storage" "$place/pid" "$place/address"
}

gone() { ! running; }

case ${1:-} in
  start) start ;;
  stop) stop ;;
  status) if running; then echo running; else echo stopped; fi ;;
  url)
    running || fail "the registry is not running" "start it: setup/registry.sh start"
    printf 'http://%s\n' "$(address)"
    ;;
  *) fail "usage: registry.sh start|stop|status|url" ;;
esac
