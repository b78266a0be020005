"""The official Google GenAI SDK in AI Studio mode against a running gateway, over v1 and v1beta."""

from base64 import b64decode

from common import BASE, KEY, MODEL, ORDERS, PIXEL, TEXT, check, check_errors, done
from google import genai
from google.genai import errors, types


def client(key=KEY, version=None):
    return genai.Client(api_key=key, http_options=types.HttpOptions(base_url=BASE, api_version=version, timeout=30_000))


WEATHER = types.FunctionDeclaration(
    name="get_weather",
    description="The weather in a city",
    parameters_json_schema={"type": "object", "properties": {"city": {"type": "string"}}},
)
TOOLS = types.GenerateContentConfig(
    tools=[types.Tool(function_declarations=[WEATHER])],
    automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
)

for version in (None, "v1beta"):
    c, name = client(version=version), version or "default"

    whole = c.models.generate_content(model=MODEL, contents="hi")
    check(f"{name} content", whole.text, TEXT)
    used = whole.usage_metadata
    check(f"{name} usage", (used.prompt_token_count, used.cached_content_token_count, used.thoughts_token_count),
          (12, 4, 3))

    chunks = list(c.models.generate_content_stream(model=MODEL, contents="hi"))
    check(f"{name} stream", "".join(chunk.text or "" for chunk in chunks), TEXT)
    check(f"{name} stream end", chunks[-1].candidates[0].finish_reason.value, "STOP")

    call = c.models.generate_content(model=MODEL, contents="hi", config=TOOLS).function_calls[0]
    check(f"{name} tool", (call.name, call.args), ("get_weather", {"city": "Paris"}))

    picture = types.Part.from_bytes(data=b64decode(PIXEL), mime_type="image/png")
    check(f"{name} image input", c.models.generate_content(model=MODEL, contents=["what?", picture]).text, TEXT)
    check(f"{name} count", c.models.count_tokens(model=MODEL, contents="hi").total_tokens, 12)
    embedded = c.models.embed_content(model="gemini-embedding-001", contents="hi")
    check(f"{name} embedding", embedded.embeddings[0].values, [0.5, -1.0])

    if ORDERS["listed"]:
        names = {model.name.removeprefix("models/") for model in c.models.list()}
        check(f"{name} models", sorted(set(ORDERS["listed"]) - names), [])

kind = {status: errors.ClientError for status in (400, 401, 402, 403, 404, 429)}
kind |= {status: errors.ServerError for status in (500, 502)}


def ask(key, model):
    # Kept in a variable: the SDK closes a temporary client in the middle of its call.
    asking = client(key)
    asking.models.generate_content(model=model, contents="hi")


check_errors(kind, ask)
done()
