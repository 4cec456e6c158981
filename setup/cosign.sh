#!/bin/sh
# cosign.sh 2|3: prints the path of a cosign of that major version, for the tests of `sign-off`.
# Debian 13 has cosign 2, Debian unstable cosign 3; unpacked under .cache/engines, never installed.
set -eu
# shellcheck source=setup/common.sh
. "$(dirname "$0")/common.sh"

case ${1:-} in
  2) suite=trixie ;;
  3) suite=sid ;;
  *) fail "usage: cosign.sh 2|3" ;;
esac
place=$cache/engines/cosign-$1
# Two test workers may ask at once: the second waits here and then finds it.
mkdir -p "$cache/engines"
exec 9>"$cache/engines/cosign-$1.lock"
flock 9
"$root/setup/unpack.sh" "$suite" "$place" cosign
found=$(zcat "$place/usr/share/doc/cosign/changelog.Debian.gz" | head -n 1)
case $found in
  "cosign ($1."*) ;;
  *) fail "Debian $suite has another cosign than $1: $found" "setup/cosign.sh says which suite has which" ;;
esac
printf '%s\n' "$place/usr/bin/cosign"
