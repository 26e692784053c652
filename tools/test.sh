#!/usr/bin/env bash
# All tests: with the servers of STUDIO_TEST_*_URL what touches database or broker, and everything
# on SQLite and the broker in a file. The browser tests wait most of the time, so they run beside
# the others, and are told at the end. Beside the others a page may take longer than a test waits
# for it: those that failed there are run once more, alone, and that is said loudly.
# With arguments for pytest: one run of just these.
set -uo pipefail

alone() { env -u STUDIO_TEST_DATABASE_URL -u STUDIO_TEST_BROKER_URL "$BIN/pytest" -q "$@"; }

on_servers() {
  [ -n "${STUDIO_TEST_DATABASE_URL:-}${STUDIO_TEST_BROKER_URL:-}" ] || return 0
  echo "Running what touches database or broker on the servers of STUDIO_TEST_*_URL …"
  "$BIN/pytest" -q --servers "$@"
}

if [ $# -gt 0 ]; then
  on_servers "$@" || exit
  alone "$@"
  exit
fi

kept=$(mktemp -d)
# All of them (whatever PYTEST_ADDOPTS says), with a memory of their own of which have failed.
in_browser() { alone tests/e2e --maxfail=0 -o cache_dir="$kept/cache" "$@"; }

set -m # a process group of its own, so that nothing of it outlives this script
in_browser </dev/null >"$kept/told" 2>&1 &
browser=$!
set +m
trap 'kill -- "-$browser" 2>/dev/null; rm -rf "$kept"' EXIT

on_servers || exit
echo "Running all other tests on SQLite and the broker in a file …"
alone --ignore=tests/e2e || exit
echo "The browser tests, which ran beside them:"
wait "$browser"
status=$?
cat "$kept/told"

# Only tests that failed (1) are worth another run. A run that broke off, or could not collect all
# of its tests, has another status; one that broke at its very end has no summary as its last line.
[ "$status" = 1 ] || exit "$status"
tail -n 1 "$kept/told" | grep -Eq '(failed|error).* in [0-9.]+s' || exit "$status"
failed=$(grep -E '^(FAILED|ERROR) ' "$kept/told")
echo
echo "!!! A SECOND RUN, alone now, of the browser tests that failed:"
echo "$failed"
in_browser --last-failed --last-failed-no-failures=none
status=$?
verdict="NOT ALL OF THESE PASSED IN THE SECOND RUN:"
[ "$status" != 0 ] || verdict="THESE PASSED IN THE SECOND RUN ONLY:"
echo
echo "!!! $verdict"
echo "$failed"
exit "$status"
