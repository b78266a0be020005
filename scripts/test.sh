#!/usr/bin/env bash
# Installs what the tests need on a Debian machine with Rust, and passes them all.
#
#   scripts/test.sh                 everything
#   scripts/test.sh -p burncloud-core …   what `cargo test` is told
#
# With CI set (or BURNCLOUD_REQUIRE_SERVICES=1) a test that cannot run is a failure, not a skip.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
need() { # command package…
  command -v "$1" >/dev/null 2>&1 || missing+=("${@:2}")
}
need python3 python3
python3 -c 'import ensurepip, venv' >/dev/null 2>&1 || missing+=(python3-venv)
need node nodejs
need npm npm
need cc build-essential
need make build-essential
need clang clang
need cmake cmake
need pkg-config pkg-config
need openssl openssl
need chromium chromium
need chromedriver chromium-driver
# Without a Chinese font the pictures of the console's Chinese pages show boxes.
if ! { command -v fc-list && [ -n "$(fc-list :lang=zh 2>/dev/null)" ]; } >/dev/null 2>&1; then
  missing+=(fontconfig fonts-noto-cjk)
fi
if [ "${#missing[@]}" -gt 0 ]; then
  echo "installing: ${missing[*]}"
  as_root=()
  [ "$(id -u)" -eq 0 ] || as_root=(sudo)
  export DEBIAN_FRONTEND=noninteractive
  "${as_root[@]}" apt-get update -qq </dev/null
  "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null >/dev/null
fi

scripts/sdk.sh </dev/null

if [ -n "${CI:-}" ]; then
  export BURNCLOUD_REQUIRE_SERVICES=1
fi
if [ "$#" -eq 0 ]; then
  set -- --workspace
fi
# The tests drive this binary; built with the same selection of packages, so that no dependency is built twice.
cargo build --workspace --bin burncloud </dev/null
cargo test "$@" </dev/null
