#!/bin/sh
# Builds the project's environment from a hash-pinned lock: uv where present, venv and pip otherwise.
# A file .building, with the number of the process, marks an environment at work on: one that was left
# half-way is built anew, one that stands is kept when an addition to it fails.
set -eu
venv=$1 lock=$2
trap 'exit 130' INT
trap 'exit 143' TERM HUP

fail() { echo "setting up $venv from $lock failed: $1" >&2; exit 1; }

find_python() {
  for name in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11 python; do
    if command -v "$name" >/dev/null 2>&1 &&
      "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
      echo "$name"
      return
    fi
  done
  return 1
}

failed() { # what was being done
  if [ -e "$venv/.runtime" ]; then rm -f "$venv/.building"; fi
  fail "$1 did not succeed (the lines above say why); fix: see that the package index can be reached and the disk is not full, then run the same command again"
}

python=$(find_python) ||
  fail "no Python 3.11 or later was found; fix: install one, or name it: make PYTHON=/path/to/python3.11"
if [ -e "$venv/.building" ]; then
  other=$(cat "$venv/.building")
  if [ -n "$other" ] && [ "$other" != "$$" ] && kill -0 "$other" 2>/dev/null; then
    fail "process $other is at work on it; fix: wait until it ends (or remove $venv/.building if it is another program)"
  fi
  echo "$venv was left half-built: it is built anew" >&2
  rm -rf "$venv"
elif [ -d "$venv" ] && ! "$venv/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
  echo "the Python of $venv does not run (any more): it is built anew" >&2
  rm -rf "$venv"
fi

echo "setting up $venv from $lock (once)" >&2
mkdir -p "$venv"
echo "$$" >"$venv/.building"
if command -v uv >/dev/null 2>&1; then
  [ -x "$venv/bin/python" ] || uv venv --quiet --allow-existing --python "$(command -v "$python")" "$venv" || failed "uv venv"
  install() { VIRTUAL_ENV="$venv" uv pip install --quiet --compile-bytecode "$@"; }
else
  if ! [ -x "$venv/bin/python" ] || ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    "$python" -m venv "$venv" || failed "$python -m venv (on Debian and Ubuntu it needs the package python3-venv)"
  fi
  install() { "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@"; }
fi
install --require-hashes -r "$lock" || failed "the installation of $lock"
# the lock holds what builds the project: an isolated build would fetch the newest release of it
install --no-build-isolation --no-deps -e . || failed "the installation of the project itself"
touch "$venv/.runtime"
case $lock in
requirements-dev.lock) touch "$venv/.develop" ;;
requirements-bench.lock) touch "$venv/.develop" "$venv/.bench" ;;
esac
rm -f "$venv/.building"
