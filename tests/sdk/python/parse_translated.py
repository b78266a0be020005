"""Official SDKs read translated answers and streams, served by a small local server, and say what they read.

The test that starts it passes one JSON object in SDK_TEST:
  target    whose format: chat, responses, messages, gemini, cohere, converse
  index     a file with one JSON object a line: {"number", "streamed", "type", "file"}; `file` holds the body

Each result is one line on standard output: {"number", "text", "thoughts", "calls": [[id, name, arguments]], "usage":
{"input", "output", "cached", "reasoning"}} or {"number", "error"}. A body that the SDK's types do not allow, checked to
the letter, is an error too; its text begins with "invalid: ".
"""

import json
import os
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ORDERS = json.loads(os.environ["SDK_TEST"])
TARGET = ORDERS["target"]
with open(ORDERS["index"]) as lines:
    FIXTURES = {entry["number"]: entry for entry in map(json.loads, lines)}


def body_of(number):
    with open(FIXTURES[number]["file"], "rb") as file:
        return file.read()


class Handler(BaseHTTPRequestHandler):
    """Answers a request for the model `f12` with the twelfth body."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        asked = self.rfile.read(int(self.headers.get("content-length") or 0))
        named = re.search(r"/models?/f(\d+)", self.path)
        number = int(named[1]) if named else int(json.loads(asked)["model"][1:])
        body = body_of(number)
        self.send_response(200)
        self.send_header("content-type", FIXTURES[number]["type"])
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True


server = Server(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
BASE = f"http://127.0.0.1:{server.server_port}"


class Invalid(Exception):
    pass


class Said:
    def __init__(self):
        self.text, self.thoughts, self.calls, self.usage = "", "", [], None

    def counted(self, total_input, output, cached, reasoning):
        self.usage = {"input": total_input or 0, "output": output or 0, "cached": cached or 0, "reasoning": reasoning or 0}


def arguments_of(text):
    """As the test has them: no text is no arguments, what is no object stands under `input`."""
    if not text.strip():
        return {}
    try:
        value = json.loads(text)
    except ValueError:
        return {"input": text}
    return value if isinstance(value, dict) else {"input": value}


def events_of(body):
    """The data of server-sent events."""
    blocks = re.split(r"\r?\n\r?\n", body.decode())
    lines = ([line[5:].strip() for line in re.split(r"\r?\n", block) if line.startswith("data:")] for block in blocks)
    return [data for data in ("\n".join(block) for block in lines) if data and data != "[DONE]"]


def check(adapter, text):
    """To the letter: the SDKs themselves take what they are given."""
    from pydantic import ValidationError

    try:
        adapter.validate_json(text, strict=True)
    except ValidationError as error:
        raise Invalid(f"invalid: {error}"[:2000]) from None


class Chat:
    def __init__(self):
        import openai
        from openai.types.chat import ChatCompletion, ChatCompletionChunk
        from pydantic import TypeAdapter

        self.client = openai.OpenAI(base_url=BASE + "/v1", api_key="k", max_retries=0, timeout=60)
        self.types = {False: TypeAdapter(ChatCompletion), True: TypeAdapter(ChatCompletionChunk)}

    def validate(self, body, streamed):
        for text in events_of(body) if streamed else [body]:
            check(self.types[streamed], text)

    def counted(self, said, usage):
        if usage:
            inside, outside = usage.prompt_tokens_details, usage.completion_tokens_details
            said.counted(usage.prompt_tokens, usage.completion_tokens, inside and inside.cached_tokens,
                         outside and outside.reasoning_tokens)

    def whole(self, model):
        response, said = self.client.chat.completions.create(model=model, messages=[]), Said()
        message = response.choices[0].message
        said.text = (message.content or "") + (message.refusal or "")
        said.thoughts = (message.model_extra or {}).get("reasoning_content") or ""
        for call in message.tool_calls or []:
            free = call.type == "custom"
            named = call.custom if free else call.function
            arguments = {"input": named.input} if free else arguments_of(named.arguments)
            said.calls.append([call.id, named.name, arguments])
        self.counted(said, response.usage)
        return said

    def stream(self, model):
        said, calls = Said(), {}
        for chunk in self.client.chat.completions.create(model=model, messages=[], stream=True):
            self.counted(said, chunk.usage)
            for choice in chunk.choices:
                if choice.index:
                    continue
                delta = choice.delta
                said.text += (delta.content or "") + (delta.refusal or "")
                said.thoughts += (delta.model_extra or {}).get("reasoning_content") or ""
                for call in delta.tool_calls or []:
                    known = calls.setdefault(call.index, [call.id, "", ""])
                    named = call.function or getattr(call, "custom", None)
                    if isinstance(named, dict):
                        known[1] += named.get("name") or ""
                        known[2] += named.get("input") or ""
                    elif named:
                        known[1] += named.name or ""
                        known[2] += named.arguments or ""
        said.calls = [[id, name, arguments_of(text)] for id, name, text in calls.values()]
        return said


class Responses:
    def __init__(self):
        import openai
        from openai.types.responses import Response, ResponseStreamEvent
        from pydantic import TypeAdapter

        self.client = openai.OpenAI(base_url=BASE + "/v1", api_key="k", max_retries=0, timeout=60)
        self.types = {False: TypeAdapter(Response), True: TypeAdapter(ResponseStreamEvent)}

    def validate(self, body, streamed):
        texts = events_of(body) if streamed else [body]
        for text in texts:
            check(self.types[streamed], text)
        if streamed:
            numbers = [json.loads(text)["sequence_number"] for text in texts]
            if numbers != list(range(len(numbers))):
                raise Invalid(f"invalid: sequence numbers {numbers}")

    def read(self, response):
        said = Said()
        for item in response.output:
            if item.type == "message":
                said.text += "".join(getattr(part, "text", None) or getattr(part, "refusal", "") for part in item.content)
            elif item.type == "reasoning":
                parts = list(item.summary) + list(item.content or [])
                said.thoughts += "".join(part.text for part in parts)
            elif item.type == "function_call":
                said.calls.append([item.call_id, item.name, arguments_of(item.arguments)])
            elif item.type == "custom_tool_call":
                said.calls.append([item.call_id, item.name, {"input": item.input}])
        if response.usage:
            usage = response.usage
            said.counted(usage.input_tokens, usage.output_tokens, usage.input_tokens_details.cached_tokens,
                         usage.output_tokens_details.reasoning_tokens)
        return said

    def whole(self, model):
        return self.read(self.client.responses.create(model=model, input="a"))

    def stream(self, model):
        # The helper follows every event, and fails where one does not fit the one before.
        with self.client.responses.stream(model=model, input="a") as stream:
            text = ""
            for event in stream:
                if event.type in ("response.output_text.delta", "response.refusal.delta"):
                    text += event.delta
                elif event.type == "error":
                    raise RuntimeError(event.message)
                elif event.type == "response.failed":
                    raise RuntimeError(event.response.error.message)
                elif event.type in ("response.completed", "response.incomplete"):
                    said = self.read(event.response)
        if text != said.text:
            raise Invalid(f"invalid: the deltas say {text!r}, the end {said.text!r}")
        return said


class Messages:
    def __init__(self):
        import anthropic
        from anthropic.types import Message, RawMessageStreamEvent
        from pydantic import TypeAdapter

        self.client = anthropic.Anthropic(base_url=BASE, api_key="k", max_retries=0, timeout=60)
        self.types = {False: TypeAdapter(Message), True: TypeAdapter(RawMessageStreamEvent)}

    def validate(self, body, streamed):
        for text in events_of(body) if streamed else [body]:
            if json.loads(text)["type"] not in ("ping", "error"):
                check(self.types[streamed], text)

    def read(self, message):
        said = Said()
        for block in message.content:
            if block.type == "text":
                said.text += block.text
            elif block.type == "thinking":
                said.thoughts += block.thinking
            elif block.type == "tool_use":
                said.calls.append([block.id, block.name, block.input])
        usage = message.usage
        cached, wrote = usage.cache_read_input_tokens or 0, usage.cache_creation_input_tokens or 0
        outside = usage.output_tokens_details
        said.counted(usage.input_tokens + cached + wrote, usage.output_tokens, cached, outside and outside.thinking_tokens)
        return said

    def whole(self, model):
        return self.read(self.client.messages.create(model=model, max_tokens=9, messages=[]))

    def stream(self, model):
        with self.client.messages.stream(model=model, max_tokens=9, messages=[]) as stream:
            return self.read(stream.get_final_message())


class Gemini:
    def __init__(self):
        from google import genai
        from google.genai import types
        from pydantic import TypeAdapter

        # Kept, for its connections close when it goes.
        self.client = genai.Client(api_key="k", http_options=types.HttpOptions(base_url=BASE, timeout=60_000))
        self.type = TypeAdapter(types.GenerateContentResponse)

    def validate(self, body, streamed):
        from pydantic import ValidationError

        for text in events_of(body) if streamed else [body.decode()]:
            value = json.loads(text)
            if "error" in value:
                continue
            # Google's own answers say it; its SDK's type does not know it.
            value.get("usageMetadata", {}).pop("serviceTier", None)
            try:
                # Its types forbid fields that they do not know; enums are words, so this is not `strict`.
                self.type.validate_python(value)
            except ValidationError as error:
                raise Invalid(f"invalid: {error}"[:2000]) from None

    def read(self, said, response):
        for part in (response.candidates[0].content.parts or []) if response.candidates else []:
            if part.function_call:
                call = part.function_call
                said.calls.append([call.id, call.name, call.args or {}])
            elif part.thought:
                said.thoughts += part.text or ""
            else:
                said.text += part.text or ""
        usage = response.usage_metadata
        if usage:
            thoughts = usage.thoughts_token_count or 0
            said.counted((usage.prompt_token_count or 0) + (usage.tool_use_prompt_token_count or 0),
                         (usage.candidates_token_count or 0) + thoughts, usage.cached_content_token_count, thoughts)
        return said

    def whole(self, model):
        return self.read(Said(), self.client.models.generate_content(model=model, contents="a"))

    def stream(self, model):
        said = Said()
        for chunk in self.client.models.generate_content_stream(model=model, contents="a"):
            if chunk.candidates and chunk.candidates[0].index:
                continue
            self.read(said, chunk)
        return said


class Cohere:
    def __init__(self):
        import cohere
        from cohere.v2.types import V2ChatResponse, V2ChatStreamResponse
        from pydantic import TypeAdapter

        self.client = cohere.ClientV2(api_key="k", base_url=BASE, timeout=60)
        self.types = {False: TypeAdapter(V2ChatResponse), True: TypeAdapter(V2ChatStreamResponse)}

    def validate(self, body, streamed):
        for text in events_of(body) if streamed else [body]:
            check(self.types[streamed], text)

    def counted(self, said, usage):
        if usage:
            extra = usage.tokens.model_extra or {}
            said.counted(int(usage.tokens.input_tokens), int(usage.tokens.output_tokens), int(usage.cached_tokens or 0),
                         int(extra.get("reasoning_tokens") or 0))

    def whole(self, model):
        response, said = self.client.chat(model=model, messages=[]), Said()
        for part in response.message.content or []:
            if part.type == "thinking":
                said.thoughts += part.thinking
            else:
                said.text += part.text
        # Where it calls tools, Cohere's thoughts are a plan.
        said.thoughts += response.message.tool_plan or ""
        for call in response.message.tool_calls or []:
            said.calls.append([call.id, call.function.name, arguments_of(call.function.arguments)])
        self.counted(said, response.usage)
        return said

    def stream(self, model):
        said, calls, ended = Said(), {}, False
        for event in self.client.chat_stream(model=model, messages=[]):
            if event.type in ("content-start", "content-delta"):
                content = event.delta.message.content
                said.thoughts += content.thinking or ""
                said.text += content.text or ""
            elif event.type == "tool-plan-delta":
                said.thoughts += event.delta.message.tool_plan
            elif event.type == "tool-call-start":
                call = event.delta.message.tool_calls
                calls[event.index] = [call.id, call.function.name, call.function.arguments or ""]
            elif event.type == "tool-call-delta":
                calls[event.index][2] += event.delta.message.tool_calls.function.arguments
            elif event.type == "message-end":
                ended = True
                if event.delta.finish_reason == "ERROR":
                    raise RuntimeError(event.delta.error)
                self.counted(said, event.delta.usage)
        if not ended:
            raise RuntimeError("no message-end")
        said.calls = [[id, name, arguments_of(text)] for id, name, text in calls.values()]
        return said


class Converse:
    def __init__(self):
        import boto3
        from botocore.config import Config

        self.client = boto3.client(
            "bedrock-runtime", region_name="us-east-1", endpoint_url=BASE, aws_access_key_id="a",
            aws_secret_access_key="b", config=Config(retries={"total_max_attempts": 1}, read_timeout=60))

    def validate(self, body, streamed):
        """Every member is in AWS's model, and every required one is there."""
        model = self.client.meta.service_model
        if not streamed:
            self.fits("$", json.loads(body), model.operation_model("Converse").output_shape)
            return
        from botocore.eventstream import EventStreamBuffer

        shapes = model.operation_model("ConverseStream").output_shape.members["stream"].members
        buffer = EventStreamBuffer()
        buffer.add_data(body)
        for message in buffer:
            name = message.headers.get(":event-type") or message.headers[":exception-type"]
            exception = name[0].lower() + name[1:]
            self.fits(f"${name}", json.loads(message.payload), shapes.get(name) or shapes[exception])

    def fits(self, path, value, shape):
        kind = shape.type_name
        kinds = {"string": str, "boolean": bool, "integer": int, "long": int, "float": (int, float),
                 "double": (int, float), "blob": str, "list": list, "map": dict, "structure": dict}
        if kind in kinds and not isinstance(value, kinds[kind]):
            raise Invalid(f"invalid: {path} is {value!r}, not {kind}")
        if kind == "structure" and not getattr(shape, "is_document_type", False):
            unknown = set(value) - set(shape.members) - {"p"}
            missing = set(shape.required_members) - set(value)
            many = getattr(shape, "is_tagged_union", False) and len(value) != 1
            if unknown or missing or many:
                raise Invalid(f"invalid: {path}: unknown {unknown}, missing {missing}, members {sorted(value)}")
            for name, inner in value.items():
                if name in shape.members:
                    self.fits(f"{path}.{name}", inner, shape.members[name])
        elif kind == "list":
            for inner in value:
                self.fits(f"{path}[]", inner, shape.member)
        elif kind == "string" and shape.enum and value not in shape.enum:
            raise Invalid(f"invalid: {path}: {value!r} is none of {shape.enum}")

    def counted(self, said, usage):
        cached, wrote = usage.get("cacheReadInputTokens") or 0, usage.get("cacheWriteInputTokens") or 0
        said.counted(usage["inputTokens"] + cached + wrote, usage["outputTokens"], cached, 0)

    def whole(self, model):
        response, said = self.client.converse(modelId=model, messages=[]), Said()
        for block in response["output"]["message"]["content"]:
            if "text" in block:
                said.text += block["text"]
            elif "citationsContent" in block:
                said.text += "".join(part["text"] for part in block["citationsContent"]["content"])
            elif "reasoningContent" in block:
                said.thoughts += block["reasoningContent"].get("reasoningText", {}).get("text", "")
            elif "toolUse" in block:
                call = block["toolUse"]
                said.calls.append([call["toolUseId"], call["name"], call["input"]])
        self.counted(said, response["usage"])
        return said

    def stream(self, model):
        said, calls = Said(), {}
        for event in self.client.converse_stream(modelId=model, messages=[])["stream"]:
            if "contentBlockStart" in event:
                start = event["contentBlockStart"]
                call = start["start"]["toolUse"]
                calls[start["contentBlockIndex"]] = [call["toolUseId"], call["name"], ""]
            elif "contentBlockDelta" in event:
                delta, index = event["contentBlockDelta"]["delta"], event["contentBlockDelta"]["contentBlockIndex"]
                said.text += delta.get("text", "")
                said.thoughts += delta.get("reasoningContent", {}).get("text", "")
                if "toolUse" in delta:
                    calls[index][2] += delta["toolUse"]["input"]
            elif "metadata" in event:
                self.counted(said, event["metadata"]["usage"])
        said.calls = [[id, name, arguments_of(text)] for id, name, text in calls.values()]
        return said


def result(sdk, number, streamed):
    try:
        said = sdk.stream(f"f{number}") if streamed else sdk.whole(f"f{number}")
        sdk.validate(body_of(number), streamed)
    except Invalid as error:
        return {"number": number, "error": str(error)}
    except Exception as error:  # Whatever an SDK raises is what the test asks for.
        return {"number": number, "error": f"{type(error).__name__}: {error}"[:2000]}
    return {"number": number, "text": said.text, "thoughts": said.thoughts, "calls": said.calls, "usage": said.usage}


SDKS = {"chat": Chat, "responses": Responses, "messages": Messages, "gemini": Gemini, "cohere": Cohere, "converse": Converse}
chosen = SDKS[TARGET]()
for number, fixture in sorted(FIXTURES.items()):
    print(json.dumps(result(chosen, number, fixture["streamed"])))
