#!/usr/bin/env bash
# Checks every Compose file of the repository against the schema of the Compose specification, which check-jsonschema has
# (pip install check-jsonschema; no network), and by Docker Compose itself where it is installed. The exit code is 1 when a file
# is refused, and 77 when neither program is there.
#
#   COMPOSE_LOADER=<program>   parses and prints a Compose file, in place of docker compose config
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly EXIT_SKIPPED=77
source tools/checks.sh

# Also files that are not committed yet.
mapfile -t files < <(git ls-files --cached --others --exclude-standard | grep -E '(^|/)(docker-)?compose[^/]*\.ya?ml$')
if ((${#files[@]} == 0)); then
  echo 'No Compose file was found.'
  exit 1
fi

by_schema() { check-jsonschema --builtin-schema vendor.compose-spec "$@"; }
by_compose() {
  if [[ -n ${COMPOSE_LOADER:-} ]]; then
    "$COMPOSE_LOADER" "$1"
  else
    docker compose --file "$1" --profile '*' config --quiet
  fi
}

checked=
if command -v check-jsonschema >/dev/null; then
  checked=yes
  # A schema that accepts everything would pass unnoticed.
  printf 'services: { a: { image: b, read_onyl: true } }\n' >"$work/compose.yml"
  refuses() { ! by_schema "$1"; }
  check 'the schema refuses a misspelt key' refuses "$work/compose.yml"
  for file in "${files[@]}"; do check "$file, by the schema" by_schema "$file"; done
else
  echo 'MISSING  check-jsonschema; not checked: Compose files against their schema'
fi
if [[ -n ${COMPOSE_LOADER:-} ]] || docker compose version >/dev/null 2>&1; then
  checked=yes
  for file in "${files[@]}"; do check "$file with all profiles, by Compose" by_compose "$file"; done
else
  echo 'MISSING  docker compose; not checked: Compose files by the program that reads them'
fi

if ((failures > 0)); then exit 1; fi
if [[ -z $checked ]]; then exit "$EXIT_SKIPPED"; fi
