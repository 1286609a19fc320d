#!/bin/sh
# Everything a machine can see without running the program: form, types, walls, names, leftovers.
set -eu
bin=$1
step() { echo "== $1"; shift; "$@"; }
step "ruff"            "$bin/ruff" check src tests examples benchmarks
step "ruff format"     "$bin/ruff" format --check --quiet src tests examples benchmarks
step "walls"           "$bin/lint-imports" --no-cache
step "mypy"            "$bin/mypy" --no-error-summary
step "pyright"         "$bin/basedpyright" --warnings
step "unused code"     "$bin/vulture"
step "unused dependencies" "$bin/deptry" src --no-ansi
step "names and sizes" "$bin/python" -m pytest -q -p no:cacheprovider tests/test_tidy.py
