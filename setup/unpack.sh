#!/bin/sh
# unpack.sh SUITE DEST PACKAGE...: unpacks packages of another Debian suite under DEST, and installs nothing.
# It reads the machine's own Debian source with the suite's name changed, so that it names no host, and keeps its own
# package lists, so that apt's are not touched.
set -eu
# shellcheck source=setup/common.sh
. "$(dirname "$0")/common.sh"

suite=${1:?usage: unpack.sh SUITE DEST PACKAGE...}
dest=${2:?usage: unpack.sh SUITE DEST PACKAGE...}
shift 2

if [ -e "$dest/.complete" ] && [ "$(cat "$dest/.complete")" = "$*" ]; then exit 0; fi

mkdir -p "$cache" "$(dirname "$dest")"
state=$(mktemp -d "$cache/unpack.XXXXXX")
trap 'rm -rf "$state"' EXIT
trap 'exit 130' INT TERM
mkdir -p "$state/lists/partial" "$state/archives/partial" "$state/root"

codename=$(. /etc/os-release && printf %s "${VERSION_CODENAME:-}")
distribution=$(. /etc/os-release && printf %s "${ID:-}")
if [ "$distribution" != debian ]; then
  fail "the engines come from Debian's suites, and this machine's packages are ${distribution:-unknown}'s" \
    "on Debian all of them are there; elsewhere test with the engine you have"
fi

# The stanza (deb822) or line (one-line format) that serves this machine's own release.
if [ -e /etc/apt/sources.list.d/debian.sources ]; then
  awk -v codename="$codename" 'BEGIN { RS = ""; ORS = "\n\n" }
    $0 ~ ("(^|\n)Suites:[^\n]*[ \t]" codename "([ \t\n]|$)") { print; exit }' /etc/apt/sources.list.d/debian.sources |
    sed -e "s/^Suites:.*/Suites: $suite/" -e '/^#/d' >"$state/suite.sources"
  list=$state/suite.sources
else
  # shellcheck disable=SC2016 # awk's own fields
  cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
    awk -v codename="$codename" -v suite="$suite" '
      $1 == "deb" { for (i = 2; i <= NF; i++) if ($i == codename) { $i = suite; print; exit } }' >"$state/suite.list"
  list=$state/suite.list
fi
[ -s "$list" ] || fail "no apt source of this machine serves Debian $codename" "add one to /etc/apt/sources.list"

apt() {
  apt-get -qq -o Dir::Etc::sourcelist="$list" -o Dir::Etc::sourceparts=/dev/null -o Dir::Etc::preferences=/dev/null \
    -o Dir::Etc::preferencesparts=/dev/null -o Dir::State::lists="$state/lists" -o Dir::Cache="$state" \
    -o APT::Sandbox::User=root "$@"
}
say "unpacking from Debian $suite: $*"
apt update || fail "the package index of Debian $suite could not be fetched"
(cd "$state" && apt download "$@") || fail "Debian $suite does not give all of: $*"
for package in "$state"/*.deb; do dpkg -x "$package" "$state/root"; done
rm -rf "$dest"
mv "$state/root" "$dest"
printf %s "$*" >"$dest/.complete"
