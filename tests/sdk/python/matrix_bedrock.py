"""boto3 as a caller of the matrix: converse and converse_stream, signed with a key pair of the gateway's."""

import json

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from matrix_common import BASE, DESCRIPTION, ORDERS, PIXEL_BYTES, SCHEMA, Answer, run

client = ORDERS["aws"] and boto3.client(
    "bedrock-runtime",
    region_name="us-east-1",
    endpoint_url=BASE,
    aws_access_key_id=ORDERS["aws"]["id"],
    aws_secret_access_key=ORDERS["aws"]["secret"],
    config=Config(retries={"total_max_attempts": 1}, read_timeout=60),
)


class Converse:
    STOP = {"end": "end_turn", "length": "max_tokens", "sequence": "stop_sequence", "tools": "tool_use",
            "filter": ["content_filtered", "guardrail_intervened"]}
    ERRORS = {
        400: client and client.exceptions.ValidationException,
        429: client and client.exceptions.ThrottlingException,
        503: client and client.exceptions.ServiceUnavailableException,
    }
    # The usage of Converse does not tell reasoning from other output.
    COUNTS_REASONING = False
    OF_COHERE = False
    SHOWS_STREAM_ERROR = True

    @staticmethod
    def status(error):
        return error.response["ResponseMetadata"]["HTTPStatusCode"]

    @staticmethod
    def header(error, name):
        return error.response["ResponseMetadata"]["HTTPHeaders"].get(name)

    def ask(self, ask):
        content = [{"text": ask.text}]
        if ask.image:
            content.append({"image": {"format": "png", "source": {"bytes": PIXEL_BYTES}}})
        messages = [{"role": "user", "content": content}]
        if ask.dialogue:
            messages.append({"role": "assistant", "content": [{"text": ask.dialogue[0]}]})
            messages.append({"role": "user", "content": [{"text": ask.dialogue[1]}]})
        if ask.turn:
            answer, results = ask.turn
            messages.append(answer.history)
            blocks = [
                {"toolResult": {"toolUseId": call[0], "content": [{"text": result}]}}
                for call, result in zip(answer.calls, results)
            ]
            messages.append({"role": "user", "content": blocks})
        fields = {"modelId": ask.model, "messages": messages, "inferenceConfig": {"maxTokens": ask.max_tokens}}
        if ask.system:
            fields["system"] = [{"text": ask.system}]
        if ask.tools:
            spec = {"name": "get_weather", "description": DESCRIPTION, "inputSchema": {"json": SCHEMA}}
            fields["toolConfig"] = {"tools": [{"toolSpec": spec}]}
        if ask.force:
            fields["toolConfig"]["toolChoice"] = {"any": {}}
        if ask.think:
            fields["additionalModelRequestFields"] = {"thinking": {"type": "enabled", "budget_tokens": 1024}}
        if ask.schema:
            named = {"jsonSchema": {"name": "forecast", "schema": json.dumps(ask.schema)}}
            fields["outputConfig"] = {"textFormat": {"type": "json_schema", "structure": named}}
        if ask.stop:
            fields["inferenceConfig"]["stopSequences"] = ask.stop
        if ask.stream:
            return self.stream(ask, client.converse_stream(**fields)["stream"])
        response = client.converse(**fields)
        return self.read(response["output"]["message"], response["stopReason"], response["usage"], 0)

    def stream(self, ask, events):
        blocks, stop, used, deltas = {}, None, None, 0
        for event in events:
            if "contentBlockStart" in event:
                begun = event["contentBlockStart"]
                blocks[begun["contentBlockIndex"]] = {"toolUse": {**begun["start"]["toolUse"], "input": ""}}
            elif "contentBlockDelta" in event:
                index, delta = event["contentBlockDelta"]["contentBlockIndex"], event["contentBlockDelta"]["delta"]
                if "toolUse" in delta:
                    blocks[index]["toolUse"]["input"] += delta["toolUse"]["input"]
                elif "reasoningContent" in delta:
                    block = blocks.setdefault(index, {"reasoningContent": {"reasoningText": {"text": ""}}})
                    thought = block["reasoningContent"]["reasoningText"]
                    thought["text"] += delta["reasoningContent"].get("text", "")
                    if "signature" in delta["reasoningContent"]:
                        thought["signature"] = delta["reasoningContent"]["signature"]
                else:
                    blocks.setdefault(index, {"text": ""})["text"] += delta["text"]
                    deltas += 1
                    ask.pieces += 1
            elif "messageStop" in event:
                stop = event["messageStop"]["stopReason"]
            elif "metadata" in event:
                used = event["metadata"]["usage"]
        if stop is None or used is None:
            raise ClientError({"Error": {"Message": "the stream ended early"}}, "ConverseStream")
        for block in blocks.values():
            if "toolUse" in block:
                block["toolUse"]["input"] = json.loads(block["toolUse"]["input"] or "{}")
        message = {"role": "assistant", "content": [blocks[index] for index in sorted(blocks)]}
        return self.read(message, stop, used, deltas)

    @staticmethod
    def read(message, stop, used, deltas):
        answer = Answer(stop=stop, deltas=deltas, history=message)
        for block in message["content"]:
            if "text" in block:
                answer.text += block["text"]
            elif "toolUse" in block:
                call = block["toolUse"]
                answer.calls.append((call["toolUseId"], call["name"], call["input"]))
            elif "reasoningContent" in block:
                answer.thought += block["reasoningContent"]["reasoningText"]["text"]
        cached, written = used.get("cacheReadInputTokens", 0), used.get("cacheWriteInputTokens", 0)
        whole = used["inputTokens"] + cached + written
        assert used["totalTokens"] == whole + used["outputTokens"], f"the total does not add up: {used}"
        answer.usage = {"input": whole, "cached": cached, "output": used["outputTokens"], "reasoning": 0}
        return answer


if client:
    run("boto3", "bedrock", Converse())
