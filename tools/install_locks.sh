#!/bin/sh
# Installs every lock into an empty environment, with the oldest supported pip and with uv, and checks that
# the lock has all that its packages require. The two installers are pinned in tools/installers.lock.
set -eu
bin=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
"$bin/python" -m venv "$scratch/installers"
"$scratch/installers/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r tools/installers.lock

pip() { "$scratch/installers/bin/python" -m pip --python "$1" install --quiet --disable-pip-version-check --require-hashes -r "$2"; }
uv() { "$scratch/installers/bin/uv" pip install --quiet --python "$1" --require-hashes -r "$2"; }

for installer in pip uv; do
  for lock in requirements.lock requirements-dev.lock requirements-bench.lock; do
    "$bin/python" -m venv --without-pip "$scratch/empty"
    "$installer" "$scratch/empty/bin/python" "$lock"
    site=$("$scratch/empty/bin/python" -c 'import sysconfig; print(sysconfig.get_path("platlib"))')
    report=$(PYTHONPATH=tests "$bin/python" -m locks "$lock" "$site") || { echo "$installer: $lock: $report" >&2; exit 1; }
    echo "$installer: $report"
    rm -rf "$scratch/empty"
  done
done
