#!/bin/sh
# The tests on every core, then branch coverage held by a ratchet. Processes that tests start are
# measured too: they find the settings and the place of the measurements in the environment. Files go
# to the cores in the order of tests/conftest.py, the longest first, which also warms the kernels first.
# Tests marked slow run in tools/test.sh BIN slow (`make slow`).
set -eu
bin=$1 which=${2:-fast}
unset PYTHONDONTWRITEBYTECODE # each of the thousand processes would compile every module anew
sh tools/checker.sh "$(dirname "$bin")"
if [ "$which" = slow ]; then
  exec "$bin/python" -m pytest -q -m slow -n auto --dist loadfile --no-loadscope-reorder --durations=10
fi
rm -f .coverage .coverage.*
COVERAGE_PROCESS_START="$(pwd)/pyproject.toml"
COVERAGE_FILE="$(pwd)/.coverage"
export COVERAGE_PROCESS_START COVERAGE_FILE
"$bin/python" -m pytest -q -m "not slow" -n auto --dist loadfile --no-loadscope-reorder --durations=10 --cov --cov-branch --cov-report=
"$bin/python" tools/ratchet.py
