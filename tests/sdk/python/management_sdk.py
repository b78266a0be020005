"""A client of the management API that openapi-python-client generates from its document, used as an operator's program uses
it: signs in with a management token, lists, makes a key, is told of a change by somebody else (412) and of a wrong field
(422), and sends one request twice. Orders, as one JSON object in SDK_TEST:
  console  the console's address, http://host:port/console
  token    a management token of an owner
  folder   an empty folder
Needs openapi-python-client and what it brings (requirements-management.txt) on PYTHONPATH.
"""

import importlib
import json
import os
import pathlib
import subprocess
import sys
import urllib.request

ORDERS = json.loads(os.environ["SDK_TEST"])
CONSOLE, TOKEN, FOLDER = ORDERS["console"], ORDERS["token"], pathlib.Path(ORDERS["folder"])
NAME = "made by a generated client"
results = {}


def check(name, have, want):
    """Records one result; ends the script when it is not what it must be."""
    results[name] = have
    if have != want:
        print(json.dumps(results, ensure_ascii=False))
        sys.exit(f"{name}: have {have!r}, want {want!r}")


def generate():
    """The document as it is served, and a client of it."""
    document = FOLDER / "openapi.json"
    with urllib.request.urlopen(CONSOLE + "/api/openapi.json", timeout=30) as answer:
        document.write_bytes(answer.read())
    config = FOLDER / "config.yaml"
    # The generator knows no CSV; a body of it is bytes to it.
    lines = ["post_hooks: []", "content_type_overrides:", "  text/csv: application/octet-stream"]
    config.write_text("\n".join(lines), encoding="utf-8")
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--path", str(document)]
    command += ["--meta", "none", "--output-path", str(FOLDER / "burncloud_management"), "--config", str(config)]
    command += ["--fail-on-warning"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    check("generated without a warning", (ended.returncode, ended.stdout + ended.stderr if ended.returncode else ""), (0, ""))
    sys.path.insert(0, str(FOLDER))


def call(tag, operation):
    return importlib.import_module(f"burncloud_management.api.{tag}.{operation}").sync_detailed


generate()
import burncloud_management as sdk  # noqa: E402
from burncloud_management import models  # noqa: E402

client = sdk.AuthenticatedClient(base_url=CONSOLE, token=TOKEN)
stranger = sdk.AuthenticatedClient(base_url=CONSOLE, token="bct_nobody")

me = call("me", "get_me")(client=client)
check("signed in", (me.status_code, me.parsed.role), (200, models.Role.OWNER))
refused = call("me", "get_me")(client=stranger)
check("a stranger", (refused.status_code, refused.parsed.status), (401, 401))

new = models.NewKey(name=NAME, quota=1_000_000_000)
made = call("keys", "create_key")(client=client, body=new, idempotency_key="generated-1")
check("made", (made.status_code, made.parsed.name, made.parsed.secret[:8]), (201, NAME, "sk-burn-"))
again = call("keys", "create_key")(client=client, body=new, idempotency_key="generated-1")
check(
    "made once",
    (again.status_code, again.parsed.id, again.headers.get("idempotent-replay"), isinstance(again.parsed.secret, str)),
    (201, made.parsed.id, "true", False),
)

listed, after = [], sdk.types.UNSET
while True:
    page = call("keys", "list_keys")(client=client, limit=1, after=after)
    check("a page", (page.status_code, len(page.parsed.items) <= 1), (200, True))
    listed += [key.name for key in page.parsed.items]
    after = page.parsed.next_
    if not after:
        break
check("listed", listed.count(NAME), 1)

tag = f'"{made.parsed.version}"'
change = models.KeyChange(models=["gpt-4o-mini"])
changed = call("keys", "update_key")(made.parsed.id, client=client, body=change, if_match=tag)
check("changed", (changed.status_code, changed.parsed.models), (200, ["gpt-4o-mini"]))
stale = call("keys", "update_key")(made.parsed.id, client=client, body=change, if_match=tag)
check("changed by somebody else", (stale.status_code, stale.parsed.status), (412, 412))

wrong = call("keys", "create_key")(client=client, body=models.NewKey(name=""))
check("a wrong field", (wrong.status_code, [error.field for error in wrong.parsed.errors]), (422, ["name"]))

gone = call("keys", "revoke_key")(made.parsed.id, client=client)
check("revoked", (gone.status_code, gone.parsed.status), (200, models.Status.REVOKED))
missing = call("keys", "get_key")(987_654_321, client=client)
check("not there", (missing.status_code, missing.parsed.status), (404, 404))
print(json.dumps(results, ensure_ascii=False))
