#!/bin/sh
# The tests on every core, then branch coverage of the core held by a ratchet.
set -eu
bin=$1
rm -f .coverage .coverage.*
COVERAGE_PROCESS_START=pyproject.toml "$bin/python" -m pytest -q -n auto --dist loadfile --cov --cov-branch --cov-report= 
"$bin/python" tools/ratchet.py
