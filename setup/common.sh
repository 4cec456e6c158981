# Sourced by the other scripts of this folder; sets `root` (the checkout), `cache` and `run`, and never prints on stdout.
# shellcheck shell=sh

root=$(cd "$(dirname "$0")/.." && pwd -P)
cache=${VERIFY_BUILD_CACHE:-$root/.cache}

# Sockets live under `run`. A Unix socket's path must stay under 108 bytes, and an engine appends some forty of its own
# ("/26.1-containerd/exec/containerd/containerd.sock"): a deep checkout gets a short folder, the same one each time.
run=$cache/run
if [ "${#run}" -gt 56 ]; then
  run=/tmp/engines-of-$(printf %s "$root" | cksum | cut -d' ' -f1)
fi

say() { printf '%s\n' "$*" >&2; }

fail() {
  printf 'error: %s\n' "$1" >&2
  if [ -n "${2:-}" ]; then printf 'hint: %s\n' "$2" >&2; fi
  exit 1
}

# as_root COMMAND...: runs it as root, through sudo only where sudo asks for no password.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    sudo -n "$@"
  else
    fail "this needs root: $*" "run it as root, or once by hand: sudo $*"
  fi
}

# missing_packages PACKAGE...: prints those that dpkg does not have installed.
missing_packages() {
  for package in "$@"; do
    state=$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null || true)
    case $state in ii*) ;; *) printf '%s ' "$package" ;; esac
  done
}

# need_packages PACKAGE...: installs the missing ones; nothing at all is done when there are none.
need_packages() {
  command -v apt-get >/dev/null 2>&1 ||
    fail "no apt-get on this machine" "install these by hand, then try again: $*"
  lacking=$(missing_packages "$@")
  if [ -z "$lacking" ]; then return 0; fi
  say "installing: $lacking"
  mkdir -p "$cache"
  # An index is fetched only when what is known does not do: a bare machine has none, most have one.
  # shellcheck disable=SC2086 # a list of package names
  if ! as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $lacking \
    >"$cache/apt.log" 2>&1; then
    as_root apt-get update -qq >>"$cache/apt.log" 2>&1 ||
      fail "apt-get update failed: $(tail -n 1 "$cache/apt.log")" "the whole log: $cache/apt.log"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $lacking \
      >>"$cache/apt.log" 2>&1 ||
      fail "apt-get could not install $lacking: $(tail -n 1 "$cache/apt.log")" "the whole log: $cache/apt.log"
  fi
}

# await SECONDS COMMAND...: tries it five times a second until it succeeds; fails when the time is over.
await() {
  tries=$(($1 * 5))
  shift
  while ! "$@" >/dev/null 2>&1; do
    tries=$((tries - 1))
    if [ "$tries" -le 0 ]; then return 1; fi
    sleep 0.2
  done
}

# owns PID TEXT: whether the process runs and has TEXT in its command line. A pid alone may be somebody else's by now.
owns() {
  [ -n "$1" ] && grep -qsF -- "$2" "/proc/$1/cmdline"
}
