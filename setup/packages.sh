#!/bin/sh
# packages.sh PACKAGE...: installs the Debian or Ubuntu packages that are missing, and does nothing when none is.
set -eu
# shellcheck source=setup/common.sh
. "$(dirname "$0")/common.sh"

need_packages "$@"
