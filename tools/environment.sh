#!/bin/sh
# Builds the project's environment from a hash-pinned lock: uv where present, venv and pip otherwise.
set -eu
venv=$1 lock=$2

find_python() {
  for name in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11 python; do
    if command -v "$name" >/dev/null 2>&1 &&
      "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
      echo "$name"
      return
    fi
  done
  echo "no Python 3.11 or later was found; install one, or name it: make PYTHON=/path/to/python3.11" >&2
  exit 1
}

python=$(find_python)
echo "setting up $venv from $lock (once)" >&2
if command -v uv >/dev/null 2>&1; then
  [ -x "$venv/bin/python" ] || uv venv --quiet --python "$(command -v "$python")" "$venv"
  VIRTUAL_ENV="$venv" uv pip install --quiet --require-hashes -r "$lock"
  VIRTUAL_ENV="$venv" uv pip install --quiet --no-deps -e .
else
  [ -x "$venv/bin/pip" ] || "$python" -m venv "$venv"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps -e .
fi
touch "$venv/.runtime"
case $lock in
requirements-dev.lock) touch "$venv/.develop" ;;
requirements-bench.lock) touch "$venv/.develop" "$venv/.bench" ;;
esac
