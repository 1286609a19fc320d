#!/bin/sh
# hledger, which the tests hold our export against: the machine's own, or Debian's package unpacked beside
# the environment. Where neither is to be had, those tests are skipped, and say so.
set -eu
folder=$1/hledger
if command -v hledger >/dev/null 2>&1 || [ -x "$folder/usr/bin/hledger" ]; then exit 0; fi
if ! command -v apt-get >/dev/null 2>&1 || ! command -v dpkg-deb >/dev/null 2>&1; then exit 0; fi
mkdir -p "$folder"
fetched() { # brief: a machine without a network should not wait for one
  timeout 60 apt-get -qq -o Acquire::Retries=0 -o Acquire::http::Timeout=10 -o Acquire::https::Timeout=10 "$@"
}
(
  cd "$folder"
  fetched download hledger || { fetched update && fetched download hledger; }
  dpkg-deb -x ./hledger_*.deb .
  usr/bin/hledger --version
) >"$folder/log" 2>&1 || echo "no hledger: its checks of our export will be skipped ($folder/log says why)" >&2
