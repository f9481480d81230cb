# What the scripts that verify files share; they source it. Sets $work, a folder that ends with the script, and counts $failures.

work=$(mktemp -d)
readonly work
trap 'rm -rf "$work"' EXIT

failures=0
check() { # <what> <command...>
  local what=$1
  shift
  if "$@" >"$work/output" 2>&1; then
    printf 'ok       %s\n' "$what"
  else
    printf 'FAILED   %s\n' "$what"
    sed 's/^/         /' "$work/output"
    failures=$((failures + 1))
  fi
}
