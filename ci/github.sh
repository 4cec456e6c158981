#!/usr/bin/env bash
# github.sh BIN: the step of action.yml that verifies. Inputs come as environment variables, never as text of a script.
set -euo pipefail
bin=$1

mkdir -p "$REPORTS"
options=()
[ -z "$CONTEXT" ] || options+=(--context "$CONTEXT")
[ "$REPRODUCIBLE" != true ] || options+=(--reproducible)
[ -z "$REQUIRE" ] || options+=(--require "$REQUIRE")
while IFS= read -r -d '' word; do options+=("$word"); done < <(
  "$bin/python" -c 'import shlex, sys; sys.stdout.writelines(w + "\0" for w in shlex.split(sys.argv[1]))' "$ARGUMENTS"
)
for form in json sarif junit markdown html; do
  options+=(--report "$form=$REPORTS/verify-build.$form")
done

code=0
"$bin/verify-build" verify --format github "${options[@]}" -- "$DOCKERFILE" || code=$?

{
  if [ -f "$REPORTS/verify-build.json" ]; then
    "$bin/python" - "$REPORTS/verify-build.json" <<'PYTHON'
import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    report = json.load(file)
print(f"outcome={report['outcome']}")
print(f"level={report['level'] or ''}")
PYTHON
  else
    echo outcome=no-verdict
    echo level=
  fi
  echo "exit-code=$code"
  echo "json=$REPORTS/verify-build.json"
  echo "sarif=$REPORTS/verify-build.sarif"
  echo "page=$REPORTS/verify-build.html"
} >>"$GITHUB_OUTPUT"
[ ! -f "$REPORTS/verify-build.markdown" ] || cat "$REPORTS/verify-build.markdown" >>"$GITHUB_STEP_SUMMARY"

# A level that does not hold may be let pass; that nothing could be decided may not.
if [ "$code" = 1 ] && [ "$FAIL" != true ]; then
  exit 0
fi
exit "$code"
