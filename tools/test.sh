#!/usr/bin/env bash
# All tests: with the servers of STUDIO_TEST_*_URL what touches database or broker, and everything
# on SQLite and the broker in a file. The browser tests wait most of the time, so they run beside
# the others, and are told at the end. With arguments for pytest: one run of just these.
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

told=$(mktemp)
alone tests/e2e >"$told" 2>&1 &
browser=$!
trap 'kill "$browser" 2>/dev/null; rm -f "$told"' EXIT

on_servers || exit
echo "Running all other tests on SQLite and the broker in a file …"
alone --ignore=tests/e2e || exit
echo "The browser tests, which ran beside them:"
wait "$browser"
status=$?
cat "$told"
exit "$status"
