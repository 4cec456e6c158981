#!/bin/sh
# verify.sh DOCKERFILE [OPTION...]: one verification on this machine as it is, with what it lacks installed first.
# The builder is a running engine where there is one, else Buildah, which needs no daemon. Base images that fixtures
# stand on are made here where the builder's store has none and no hub answers.
set -eu
# shellcheck source=setup/common.sh
. "$(dirname "$0")/common.sh"

dockerfile=${1:?usage: verify.sh DOCKERFILE [OPTION...]}
shift

"$root/setup/tool.sh"

if command -v docker >/dev/null 2>&1 && docker version --format '{{.Server.Version}}' >/dev/null 2>&1; then
  store=docker
else
  command -v buildah >/dev/null 2>&1 || need_packages buildah runc crun
  store=containers
fi
bases=$("$root/setup/base_images.py" named "$dockerfile")
# shellcheck disable=SC2086 # a list of image names
[ -z "$bases" ] || "$root/setup/base_images.py" "$store" $bases

status=0
"$root/.venv/bin/verify-build" "$dockerfile" "$@" || status=$?
say "verify-build: exit code $status"
exit "$status"
