#!/usr/bin/env bash
# Installs the official SDKs that the end-to-end tests drive: Python and Node, pinned, under <target>/sdk.
# Does nothing when what is there was made from the same pins.
set -euo pipefail
cd "$(dirname "$0")/.."

sdk="${BURNCLOUD_SDK_DIR:-${CARGO_TARGET_DIR:-target}/sdk}"
pins=(tests/sdk/python/requirements.txt tests/sdk/python/requirements-anthropic-legacy.txt
      tests/sdk/python/requirements-management.txt
      tests/sdk/node/package.json tests/sdk/node/package-lock.json)
stamp="$(cat "${pins[@]}" | sha256sum | cut -d ' ' -f 1) $(python3 --version) $(node --version)"
if [ -f "$sdk/stamp" ] && [ "$(cat "$sdk/stamp")" = "$stamp" ]; then
  exit 0
fi

echo "installing the SDKs into $sdk"
rm -rf "$sdk"
mkdir -p "$sdk/node"
python3 -m venv "$sdk/venv"
pip=("$sdk/venv/bin/python" -m pip install --quiet --disable-pip-version-check --retries 5)
"${pip[@]}" --requirement tests/sdk/python/requirements.txt
"${pip[@]}" --target "$sdk/anthropic-legacy" --requirement tests/sdk/python/requirements-anthropic-legacy.txt
"${pip[@]}" --target "$sdk/management" --requirement tests/sdk/python/requirements-management.txt
cp tests/sdk/node/package.json tests/sdk/node/package-lock.json "$sdk/node/"
(cd "$sdk/node" && npm ci --no-audit --no-fund --loglevel=error)
echo "$stamp" >"$sdk/stamp"
