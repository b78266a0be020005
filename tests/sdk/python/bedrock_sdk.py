"""boto3 and AnthropicBedrock against a running gateway, signing with a pair derived from a key.

Beside the orders of common.py:
  pair, other  {"access_key_id", "secret_access_key"}: one that is right, and one of a key that is not there
  cut          whether the provider's next stream breaks off

The provider must answer these in turn: converse, converse-stream, invoke, invoke-with-response-stream, a 429, and (if
ordered) a stream that is cut.
"""

import json

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, EventStreamError
from anthropic import AnthropicBedrock
from common import BASE, MODEL, ORDERS, TEXT, check, done


def client(pair, region="eu-central-1", **more):
    return boto3.client(
        "bedrock-runtime",
        region_name=region,
        endpoint_url=BASE,
        aws_access_key_id=pair["access_key_id"],
        aws_secret_access_key=pair["secret_access_key"],
        config=Config(retries={"total_max_attempts": 1}, read_timeout=30),
        **more,
    )


def refused(name, pair, want, **more):
    try:
        client(pair, **more).converse(**PLAIN)
    except ClientError as error:
        said = error.response
        check(name, (said["Error"]["Code"], said["ResponseMetadata"]["HTTPStatusCode"]), want)
    else:
        check(name, "no exception", want)


PAIR = ORDERS["pair"]
PLAIN = {
    "modelId": MODEL,
    "messages": [{"role": "user", "content": [{"text": "hi ✓"}]}],
    "inferenceConfig": {"maxTokens": 50},
}
BODY = {"max_tokens": 50, "messages": [{"role": "user", "content": "hi ✓"}]}
c = client(PAIR)

whole = c.converse(**PLAIN)
check("converse", whole["output"]["message"]["content"][0]["text"], TEXT)
check("usage", (whole["usage"]["inputTokens"], whole["usage"]["outputTokens"]), (8, 7))

events = list(c.converse_stream(**PLAIN)["stream"])
texts = [event["contentBlockDelta"]["delta"]["text"] for event in events if "contentBlockDelta" in event]
check("converse_stream", "".join(texts), TEXT)
check("stream end", (next(iter(events[-2])), events[-1]["metadata"]["usage"]["outputTokens"]), ("messageStop", 7))

body = json.dumps({"anthropic_version": "bedrock-2023-05-31", **BODY})
answer = json.load(c.invoke_model(modelId=MODEL, body=body)["body"])
check("invoke", answer["content"][0]["text"], TEXT)

a = AnthropicBedrock(
    base_url=BASE,
    aws_region="eu-central-1",
    aws_access_key=PAIR["access_key_id"],
    aws_secret_key=PAIR["secret_access_key"],
    max_retries=0,
    timeout=30,
)
kinds, said = [], ""
for event in a.messages.create(model=MODEL, stream=True, **BODY):
    kinds.append(event.type)
    if event.type == "content_block_delta":
        said += event.delta.text
check("AnthropicBedrock", said, TEXT)
check("AnthropicBedrock events", (kinds[0], kinds[-1]), ("message_start", "message_stop"))

refused("throttled", PAIR, ("ThrottlingException", 429))

# None of these reaches the provider.
refused("wrong secret", {**PAIR, "secret_access_key": "0" * 64}, ("InvalidSignatureException", 403))
refused("another's secret", {**PAIR, "secret_access_key": ORDERS["other"]["secret_access_key"]},
        ("InvalidSignatureException", 403))
refused("unknown key", ORDERS["other"], ("UnrecognizedClientException", 403))
refused("a key of AWS's own", {"access_key_id": "AKIAIOSFODNN7EXAMPLE", "secret_access_key": "s"},
        ("UnrecognizedClientException", 403))
refused("a session", PAIR, ("UnrecognizedClientException", 403), aws_session_token="token")

if ORDERS["cut"]:
    try:
        for event in c.converse_stream(**PLAIN)["stream"]:
            pass
    except EventStreamError as error:
        check("cut stream", error.response["Error"]["Code"], "modelStreamErrorException")
    else:
        check("cut stream", "no exception", "EventStreamError")
done()
