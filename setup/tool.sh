#!/bin/sh
# tool.sh [--dev]: the tool in .venv, from the locked requirements; with --dev what its tests need, too.
# PYTHON names another interpreter than python3; it must be 3.11 or later.
set -eu
# shellcheck source=setup/common.sh
. "$(dirname "$0")/common.sh"

lock=requirements.lock
case ${1:-} in
  '') ;;
  --dev) lock=requirements-dev.lock ;;
  *) fail "usage: tool.sh [--dev]" ;;
esac

recent() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

# choose_python: the first interpreter that is recent enough; Debian's own is installed where there is none at all.
choose_python() {
  for python in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
    if recent "$python"; then return 0; fi
  done
  [ -z "${PYTHON:-}" ] || fail "$PYTHON is not Python 3.11 or later"
  need_packages python3
  python=python3
  recent "$python" || fail "this machine's Python is too old: $(python3 --version 2>&1)" "install Python 3.11 or later"
}

choose_python
stamp=$root/.venv/.installed
wanted=$(cat "$root/$lock" "$root/pyproject.toml" | cksum)-$lock
# A tool installed for its tests serves its users, too.
if [ "$lock" = requirements.lock ] && [ -e "$stamp" ] &&
  [ "$(cat "$stamp")" = "$(cat "$root/requirements-dev.lock" "$root/pyproject.toml" | cksum)-requirements-dev.lock" ]; then
  exit 0
fi
if [ -x "$root/.venv/bin/verify-build" ] && [ -e "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then exit 0; fi

# The virtual environment needs ensurepip, which Debian and Ubuntu package apart.
if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
  version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  need_packages "python$version-venv"
fi
rm -f "$stamp"
if ! recent "$root/.venv/bin/python"; then
  say "making .venv with $("$python" --version)"
  "$python" -m venv --clear "$root/.venv"
fi
say "installing $lock"
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
mkdir -p "$cache"
pip() {
  "$root/.venv/bin/python" -m pip install -q "$@" >"$cache/pip.log" 2>&1 ||
    fail "pip failed: $(grep -v '^ *$' "$cache/pip.log" | tail -n 1)" "the whole log: $cache/pip.log"
}
pip --require-hashes -r "$root/$lock"
# The package itself without its dependencies: those are the lock's. Its build needs setuptools, which the lock has.
pip --no-deps --no-build-isolation --editable "$root"
printf %s "$wanted" >"$stamp"
