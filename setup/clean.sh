#!/bin/sh
# clean.sh: stops what the other scripts started and removes what they made; no store of the user's is touched.
set -eu
# shellcheck source=setup/common.sh
. "$(dirname "$0")/common.sh"

[ $# -eq 0 ] || fail "it takes no arguments, and would remove everything: $(sed -n 2p "$0")"
"$root/setup/engines.sh" stop
"$root/setup/registry.sh" stop
rm -rf "$cache" "$run" "$root/.venv"
for name in .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis build dist; do
  rm -rf "${root:?}/$name"
done
