#!/bin/sh
# engines.sh start|stop|status|env|names [NAME...]: private Docker engines for the tests, each with everything of its own.
#
#   20.10              the classic builder and the BuildKit inside (Debian 12's engine; buildx is 26.1's)
#   26.1-containerd    Debian 13's engine, containerd image store
#   26.1-overlay2      the same, old image store
#   28.5-containerd    Debian unstable's engine, containerd image store
#   28.5-overlay2      the same, old image store
#
# `env NAME` prints lines for a shell: eval "$(setup/engines.sh env 28.5-containerd)". No engine of the machine is
# touched: packages are unpacked under .cache/engines, never installed; no bridge, no firewall rule, no TCP port.
set -eu
# shellcheck source=setup/common.sh
. "$(dirname "$0")/common.sh"

engines='20.10 26.1-containerd 26.1-overlay2 28.5-containerd 28.5-overlay2'

usage() { fail "usage: engines.sh start|stop|status|env|names [NAME...]" "names: $engines"; }

# describe NAME: sets `suite`, the store's `containerd` switch and the engine's folders.
describe() {
  case $1 in
    20.10) suite=bookworm containerd=none ;;
    26.1-containerd) suite=trixie containerd=true ;;
    26.1-overlay2) suite=trixie containerd=false ;;
    28.5-containerd) suite=sid containerd=true ;;
    28.5-overlay2) suite=sid containerd=false ;;
    *) fail "no such engine: $1" "names: $engines" ;;
  esac
  name=$1
  place=$run/$name
  data=$cache/engines/data/$name
  socket=$place/docker.sock
  # runc is Debian 12's for all of them, so that the machine needs none.
  path=$cache/engines/$suite/usr/sbin:$cache/engines/$suite/usr/bin:$cache/engines/bookworm/usr/sbin
}

# provide SUITE: unpacks what an engine of that suite consists of.
provide() {
  "$root/setup/unpack.sh" bookworm "$cache/engines/bookworm" docker.io containerd runc tini
  "$root/setup/unpack.sh" trixie "$cache/engines/trixie" docker.io docker-cli docker-buildx containerd tini
  if [ "$1" = sid ]; then
    "$root/setup/unpack.sh" sid "$cache/engines/sid" docker.io docker-cli docker-buildx containerd tini-static
  fi
  need_packages libdevmapper1.02.1 libseccomp2 libsystemd0 libselinux1 libudev1
}

configure() {
  plugins=$suite
  [ "$suite" != bookworm ] || plugins=trixie
  mkdir -p "$place/config/cli-plugins" "$data"
  ln -sfn "$cache/engines/$plugins/usr/libexec/docker/cli-plugins/docker-buildx" "$place/config/cli-plugins/docker-buildx"
  features=
  [ "$containerd" = none ] || features="\"features\": {\"containerd-snapshotter\": $containerd},"
  cat >"$place/daemon.json" <<JSON
{
  $features
  "data-root": "$data",
  "exec-root": "$place/exec",
  "pidfile": "$place/dockerd.pid",
  "hosts": ["unix://$socket"],
  "bridge": "none",
  "iptables": false,
  "ip-forward": false,
  "ip-masq": false,
  "userland-proxy": false,
  "shutdown-timeout": 5,
  "insecure-registries": ["127.0.0.0/8"]
}
JSON
}

daemon_pid() { cat "$place/dockerd.pid" 2>/dev/null || true; }

answers() { DOCKER_CONFIG=$place/config PATH=$path:$PATH docker -H "unix://$socket" version --format '{{.Server.Version}}'; }

running() { owns "$(daemon_pid)" "$place/daemon.json" && answers >/dev/null 2>&1; }

start() {
  describe "$1"
  mkdir -p "$place"
  # Two test workers may ask at once: the second waits here and then finds it running.
  exec 9>"$place/lock"
  flock 9
  if running; then
    exec 9>&-
    return 0
  fi
  [ "$(id -u)" = 0 ] || fail "a Docker engine needs root" "run this as root, or use Buildah, which needs none"
  provide "$suite"
  stop_processes
  configure
  # A daemon must not hold the lock, nor die with the terminal that started it.
  (
    exec 9>&-
    PATH=$path:$PATH exec setsid dockerd --config-file "$place/daemon.json" </dev/null >"$place/dockerd.log" 2>&1
  ) &
  if ! await 60 answers; then
    stop_processes
    fail "engine $name does not answer: $(tail -n 1 "$place/dockerd.log")" "the whole log: $place/dockerd.log"
  fi
  exec 9>&-
  say "engine $name: $(answers) on $socket"
}

# stop_processes: ends the daemon, then what a daemon that died badly left: its containerd, its shims, its mounts.
stop_processes() {
  pid=$(daemon_pid)
  if owns "$pid" "$place/daemon.json"; then
    kill "$pid"
    await 30 not owns "$pid" "$place/daemon.json" || kill -KILL "$pid" 2>/dev/null || true
  fi
  for signal in TERM KILL; do
    children=$(processes_naming "$place/exec/")
    [ -n "$children" ] || break
    # shellcheck disable=SC2086 # a list of process ids
    kill -s "$signal" $children 2>/dev/null || true
    await 5 nobody_names "$place/exec/" || true
  done
  for folder in "$place/exec" "$data"; do
    awk -v folder="$folder" '$5 == folder || index($5, folder "/") == 1 { print $5 }' /proc/self/mountinfo | sort -r |
      while read -r mounted; do umount "$mounted" || umount -l "$mounted" || true; done
  done
  rm -rf "$place/exec" "$place/dockerd.pid" "$socket"
}

not() { ! "$@"; }

nobody_names() { [ -z "$(processes_naming "$1")" ]; }

# processes_naming TEXT: the ids of processes with an argument that begins with TEXT (containerd and its shims do).
processes_naming() {
  { grep -zls -- "^$1" /proc/[0-9]*/cmdline || true; } | cut -d/ -f3 | tr '\n' ' '
}

stop() {
  describe "$1"
  [ -d "$place" ] || return 0
  exec 9>"$place/lock"
  flock 9
  stop_processes
  exec 9>&-
}

status() {
  describe "$1"
  if running; then
    printf '%-16s running   %s\n' "$name" "$(answers)"
  else
    printf '%-16s stopped\n' "$name"
  fi
}

print_env() {
  describe "$1"
  printf "export DOCKER_HOST='unix://%s'\n" "$socket"
  printf "export DOCKER_CONFIG='%s'\n" "$place/config"
  printf "export PATH='%s'\n" "$path:$PATH"
}

[ "${1:-}" != names ] || { echo "$engines"; exit 0; }
command=${1:-}
[ -n "$command" ] || usage
shift
# shellcheck disable=SC2086 # a list of names
[ $# -gt 0 ] || set -- $engines
case $command in
  start | stop | status) for each in "$@"; do "$command" "$each"; done ;;
  env) for each in "$@"; do print_env "$each"; done ;;
  *) usage ;;
esac
