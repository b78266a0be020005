"""A caller of the OpenAI SDK who keeps its receipts: reads each by the id in the header, and verifies it with the program in
docs/receipts.md. Orders beside the common ones:
  stranger  a key of another user
  public    the public key
  verifier  that program, a file
  folder    where to write the answers
"""

import json
import pathlib
import subprocess
import sys
import time

import openai
from common import BASE, KEY, MODEL, ORDERS, check, done

SAY_HI = [{"role": "user", "content": "hi"}]


def client(key):
    return openai.OpenAI(base_url=BASE + "/v1", api_key=key, max_retries=0, timeout=30)


def read(key, receipt):
    return client(key).get(f"/receipts/{receipt}", cast_to=object)


def read_when_there(key, receipt):
    for _ in range(300):
        try:
            return read(key, receipt)
        except openai.NotFoundError as error:
            check("retry-after", error.response.headers.get("retry-after"), "1")
            time.sleep(0.1)
    return sys.exit("the receipt is never recorded")


def verified(name, answer):
    file = pathlib.Path(ORDERS["folder"]) / f"{name}.json"
    file.write_text(json.dumps(answer), encoding="utf-8")
    command = [sys.executable, ORDERS["verifier"], str(file), ORDERS["public"]]
    return subprocess.run(command, capture_output=True, text=True, check=False).returncode == 0


c = client(KEY)
whole = c.chat.completions.with_raw_response.create(model=MODEL, messages=SAY_HI)
stream = c.chat.completions.with_raw_response.create(model=MODEL, messages=SAY_HI, stream=True)
ids = {"whole": whole.headers["x-burncloud-receipt-id"], "streamed": stream.headers["x-burncloud-receipt-id"]}
for _ in stream.parse():
    pass
try:
    c.chat.completions.create(model="no-such-model", messages=SAY_HI)
except openai.NotFoundError as error:
    ids["refused"] = error.response.headers["x-burncloud-receipt-id"]

for name, receipt in ids.items():
    answer = read_when_there(KEY, receipt)
    said = answer["receipt"]
    check(f"{name} id", said["id"], receipt)
    check(f"{name} streamed", said["streamed"], name == "streamed")
    check(f"{name} status", said["status"], 404 if name == "refused" else 200)
    check(f"{name} sum", sum(line["amount"] for line in said["lines"]), said["charge"])
    check(f"{name} proof", verified(name, answer), True)
    said["charge"] += 1
    check(f"{name} forged", verified(f"{name}-forged", answer), False)
    try:
        read(ORDERS["stranger"], receipt)
        check(f"{name} to a stranger", "shown", "not shown")
    except openai.NotFoundError as error:
        check(f"{name} to a stranger", error.code, "receipt_not_found")
try:
    read(KEY, "rc_1")
    check("malformed", "shown", "refused")
except openai.BadRequestError as error:
    check("malformed", error.code, "invalid_receipt_id")
done()
