#!/usr/bin/env bash
# Runs built tests with the arguments of `swift test`; what failed is repeated at the end, where people look.
set -uo pipefail
log=$(mktemp)
trap 'rm -f "$log"' EXIT
swift test --skip-build "$@" 2>&1 | tee "$log"
status=${PIPESTATUS[0]}
if (( status != 0 )); then
    echo "--- failed, with status $status:"
    grep -aE '^(✘|↳)|error:|Fatal|crashed|signal' "$log" | head -n 60 || tail -n 20 "$log"
fi
exit "$status"
