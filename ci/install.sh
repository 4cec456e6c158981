#!/usr/bin/env bash
# install.sh FOLDER: installs the tool, from the checkout that this file is in, into a virtual environment of its own.
set -euo pipefail
source=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
python3 -m venv "$1"
"$1/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r "$source/requirements.lock"
"$1/bin/pip" install --quiet --disable-pip-version-check --no-deps "$source"
