"""The official Anthropic SDK against a running gateway: run with 2.x (bearer) and with the last 0.x (x-api-key)."""

import anthropic
from common import BASE, KEY, MODEL, ORDERS, PIXEL, TEXT, check, check_errors, done


def client(key=KEY):
    return anthropic.Anthropic(base_url=BASE, api_key=key, max_retries=0, timeout=30)


SAY_HI = [{"role": "user", "content": "hi"}]
TOOLS = [{
    "name": "get_weather",
    "description": "The weather in a city",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}]
PLAIN = {"model": MODEL, "max_tokens": 64, "messages": SAY_HI}

c = client()

message = c.messages.create(**PLAIN)
check("message", message.content[0].text, TEXT)
check("usage", (message.usage.input_tokens, message.usage.cache_read_input_tokens, message.usage.output_tokens),
      (8, 4, 7))

with c.messages.stream(**PLAIN) as stream:
    check("stream", "".join(stream.text_stream), TEXT)
    final = stream.get_final_message()
check("stream end", (final.stop_reason, final.usage.output_tokens), ("end_turn", 7))
kinds = [event.type for event in c.messages.create(**PLAIN, stream=True)]
check("raw stream", (kinds[0], kinds[-1]), ("message_start", "message_stop"))

call = c.messages.create(**PLAIN, tools=TOOLS)
check("tool", (call.content[0].name, call.content[0].input), ("get_weather", {"city": "Paris"}))
result = {"type": "tool_result", "tool_use_id": call.content[0].id, "content": "sunny"}
turn = [*SAY_HI, {"role": "assistant", "content": call.content}, {"role": "user", "content": [result]}]
check("tool result", c.messages.create(**{**PLAIN, "messages": turn}, tools=TOOLS).content[0].text, TEXT)
with c.messages.stream(**PLAIN, tools=TOOLS) as stream:
    check("tool streamed", stream.get_final_message().content[0].input, {"city": "Paris"})

picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}
asked = [{"role": "user", "content": [picture, {"type": "text", "text": "what?"}]}]
check("image input", c.messages.create(**{**PLAIN, "messages": asked}).content[0].text, TEXT)

check("count", c.messages.count_tokens(model=MODEL, messages=SAY_HI).input_tokens, 12)

if ORDERS["listed"]:
    names = {model.id for model in c.models.list()}
    check("models", sorted(set(ORDERS["listed"]) - names), [])

check_errors(
    {
        400: anthropic.BadRequestError,
        401: anthropic.AuthenticationError,
        402: anthropic.APIStatusError,
        403: anthropic.PermissionDeniedError,
        404: anthropic.NotFoundError,
        429: anthropic.RateLimitError,
        500: anthropic.InternalServerError,
        502: anthropic.InternalServerError,
    },
    lambda key, model: client(key).messages.create(**{**PLAIN, "model": model}),
)
done()
