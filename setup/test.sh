#!/bin/sh
# test.sh [PYTEST OPTION...]: the tests, with everything that they talk to: engines, Buildah, Podman, a registry, bases.
# What is started here is stopped here; engines that ran before (setup/engines.sh start) are used and left running.
set -eu
# shellcheck source=setup/common.sh
. "$(dirname "$0")/common.sh"

"$root/setup/tool.sh" --dev
need_packages buildah podman crun runc fuse-overlayfs skopeo umoci mmdebstrap diffoscope-minimal git
command -v chromium >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1 || need_packages chromium
command -v busybox >/dev/null 2>&1 || need_packages busybox-static

before=$("$root/setup/engines.sh" status | awk '$2 == "running" { print $1 }')
registry_before=$("$root/setup/registry.sh" status)
finish() {
  for name in $("$root/setup/engines.sh" status | awk '$2 == "running" { print $1 }'); do
    case " $(echo "$before" | tr '\n' ' ') " in
      *" $name "*) ;;
      *) "$root/setup/engines.sh" stop "$name" ;;
    esac
  done
  [ "$registry_before" = running ] || "$root/setup/registry.sh" stop
}
trap finish EXIT
trap 'exit 130' INT TERM

# Once, before any worker: a worker then only finds them running.
if "$root/setup/engines.sh" start; then
  for name in $("$root/setup/engines.sh" names); do
    (eval "$("$root/setup/engines.sh" env "$name")" && "$root/setup/base_images.py" docker 2>"$run/$name/bases.log") ||
      fail "engine $name has no base images: $(tail -n 1 "$run/$name/bases.log")"
  done
elif [ -n "${CI:-}" ]; then
  fail "the engines could not be started, and in CI nothing is skipped"
fi
"$root/setup/registry.sh" start

cd "$root"
# Tests of one daemon stay on one worker (tests/conftest.py groups them), so that each can look for what it left behind.
.venv/bin/python -m pytest -n "${JOBS:-2}" --dist loadgroup "$@"
