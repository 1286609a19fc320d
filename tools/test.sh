#!/bin/sh
# The tests on every core, then branch coverage held by a ratchet. Processes that tests start are
# measured too: they find the settings and the place of the measurements in the environment. Files go
# to the cores in the order of tests/conftest.py, the longest first.
set -eu
bin=$1
rm -f .coverage .coverage.*
sh tools/checker.sh "$(dirname "$bin")"
COVERAGE_PROCESS_START="$(pwd)/pyproject.toml"
COVERAGE_FILE="$(pwd)/.coverage"
export COVERAGE_PROCESS_START COVERAGE_FILE
"$bin/python" -m pytest -q -n auto --dist loadfile --no-loadscope-reorder --cov --cov-branch --cov-report=
"$bin/python" tools/ratchet.py
