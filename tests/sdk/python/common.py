"""What the SDK scripts share: their orders from the environment, and a report on standard output.

The test that starts a script passes one JSON object in SDK_TEST:
  base    the gateway's address, http://host:port
  key     a key that may use every model named here
  model   the chat model
  listed  model names that the list of models must hold; empty: do not ask
  errors  [{"status", "key", "model"}]: requests that must fail so
"""

import json
import os
import sys

ORDERS = json.loads(os.environ["SDK_TEST"])
BASE, KEY, MODEL = ORDERS["base"], ORDERS["key"], ORDERS["model"]
TEXT = "Hello, wörld ✓"
# 1x1 transparent PNG
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
results = {}


def check(name, have, want):
    """Records one result; ends the script when it is not what it must be."""
    results[name] = have
    if have != want:
        print(json.dumps(results, ensure_ascii=False))
        sys.exit(f"{name}: have {have!r}, want {want!r}")


def check_errors(classes, ask):
    """Each ordered failure arrives as the SDK's own exception type for its status."""
    for order in ORDERS["errors"]:
        name, want = f"error {order['status']} {order['model']}", classes[order["status"]]
        try:
            ask(order["key"], order["model"])
        except want as error:
            status = getattr(error, "status_code", None) or getattr(error, "code", None)
            check(name, status, order["status"])
        else:
            check(name, "no exception", want.__name__)


def done():
    """Prints the report."""
    print(json.dumps(results, ensure_ascii=False))
