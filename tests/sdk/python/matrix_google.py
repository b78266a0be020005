"""The official Google GenAI SDK as a caller of the matrix: AI Studio mode and Vertex mode."""

import datetime

from google import genai
from google.auth.credentials import Credentials
from google.genai import errors, types
from matrix_common import BASE, DESCRIPTION, KEY, PIXEL_BYTES, SCHEMA, Answer, run


class KeyAsToken(Credentials):
    """A Google credential whose token is the gateway's key."""

    def __init__(self):
        super().__init__()
        self.token, self.expiry = KEY, datetime.datetime(2999, 1, 1)

    def refresh(self, request):
        del request


options = types.HttpOptions(base_url=BASE, timeout=60_000)
studio = genai.Client(api_key=KEY, http_options=options)
vertex = genai.Client(
    vertexai=True, project="matrix", location="us-central1", credentials=KeyAsToken(), http_options=options)


class Gemini:
    STOP = {"end": "STOP", "length": "MAX_TOKENS", "sequence": "STOP", "tools": "STOP",
            "filter": ["SAFETY", "PROHIBITED_CONTENT", "BLOCKLIST"]}
    ERRORS = {400: errors.ClientError, 429: errors.ClientError, 503: errors.ServerError}
    COUNTS_REASONING = True
    OF_COHERE = False
    SHOWS_STREAM_ERROR = True

    def __init__(self, client):
        self.client = client

    @staticmethod
    def status(error):
        return error.code

    @staticmethod
    def header(error, name):
        return error.response.headers.get(name)

    def ask(self, ask):
        parts = [types.Part(text=ask.text)]
        if ask.image:
            parts.append(types.Part.from_bytes(data=PIXEL_BYTES, mime_type="image/png"))
        contents = [types.Content(role="user", parts=parts)]
        if ask.dialogue:
            contents.append(types.Content(role="model", parts=[types.Part(text=ask.dialogue[0])]))
            contents.append(types.Content(role="user", parts=[types.Part(text=ask.dialogue[1])]))
        if ask.turn:
            answer, results = ask.turn
            contents.append(answer.history)
            back = [
                types.Part(function_response=types.FunctionResponse(id=call[0], name=call[1], response={"output": result}))
                for call, result in zip(answer.calls, results)
            ]
            contents.append(types.Content(role="user", parts=back))
        config = types.GenerateContentConfig(
            max_output_tokens=ask.max_tokens,
            system_instruction=ask.system,
            stop_sequences=ask.stop,
            automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
        )
        if ask.tools:
            declared = types.FunctionDeclaration(
                name="get_weather", description=DESCRIPTION, parameters_json_schema=SCHEMA)
            config.tools = [types.Tool(function_declarations=[declared])]
        if ask.force:
            calling = types.FunctionCallingConfig(mode=types.FunctionCallingConfigMode.ANY)
            config.tool_config = types.ToolConfig(function_calling_config=calling)
        if ask.think:
            config.thinking_config = types.ThinkingConfig(include_thoughts=True, thinking_budget=1024)
        if ask.schema:
            config.response_mime_type, config.response_json_schema = "application/json", ask.schema
        asked = {"model": ask.model, "contents": contents, "config": config}
        if ask.stream:
            chunks = []
            for chunk in self.client.models.generate_content_stream(**asked):
                chunks.append(chunk)
                ask.pieces += 1
        else:
            chunks = [self.client.models.generate_content(**asked)]
        return self.read(chunks)

    @staticmethod
    def read(chunks):
        answer, parts = Answer(), []
        for chunk in chunks:
            for candidate in chunk.candidates or []:
                answer.stop = candidate.finish_reason.value if candidate.finish_reason else answer.stop
                parts += (candidate.content and candidate.content.parts) or []
            if chunk.usage_metadata:
                used = chunk.usage_metadata
        for part in parts:
            if part.function_call:
                answer.calls.append((part.function_call.id, part.function_call.name, part.function_call.args))
            elif part.thought:
                answer.thought += part.text or ""
            elif part.text:
                answer.text += part.text
                answer.deltas += 1
        if answer.stop is None:
            raise errors.APIError(0, {"error": {"message": "the stream ended without a finish reason"}})
        thoughts = used.thoughts_token_count or 0
        answer.usage = {"input": used.prompt_token_count, "cached": used.cached_content_token_count or 0,
                        "output": (used.candidates_token_count or 0) + thoughts, "reasoning": thoughts}
        answer.history = types.Content(role="model", parts=parts)
        return answer


run("google-genai", "gemini", Gemini(studio))
run("google-genai (Vertex)", "gemini", Gemini(vertex))
