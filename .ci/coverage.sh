#!/usr/bin/env bash
# Holds the engine, the law, the file format and the pure detectors to every line and every branch, by their own tests.
set -euo pipefail
cd "$(dirname "$0")/.."
data=$(mktemp -d)
trap 'rm -rf "$data"' EXIT
export COVERAGE_FILE="$data/part" COVERAGE_RCFILE=.ci/coverage.ini
# The same examples each time: a branch that only chance reaches would come and go.
measure() { uv run --no-sync coverage run --parallel-mode -m pytest -q -n 0 --hypothesis-seed=0 "$@"; }

measure tests/engine >"$data/engine.log" 2>&1 &
engine=$!
measure tests/rules tests/reproducer tests/plugins/test_detectors*.py tests/plugins/test_canary*.py tests/runs/test_prepare.py
wait "$engine" || { cat "$data/engine.log"; exit 1; }
uv run --no-sync coverage combine --quiet "$data"
uv run --no-sync coverage report
