"""The official OpenAI SDK against a running gateway."""

import io

import openai
from common import BASE, KEY, MODEL, ORDERS, PIXEL, TEXT, check, check_errors, done


def client(key=KEY):
    return openai.OpenAI(base_url=BASE + "/v1", api_key=key, max_retries=0, timeout=30)


SAY_HI = [{"role": "user", "content": "hi"}]
WEATHER = {
    "name": "get_weather",
    "description": "The weather in a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
TOOLS = [{"type": "function", "function": WEATHER}]

c = client()

chat = c.chat.completions.create(model=MODEL, messages=SAY_HI)
check("chat", chat.choices[0].message.content, TEXT)
check("chat usage", (chat.usage.prompt_tokens, chat.usage.completion_tokens), (12, 7))

chunks = list(c.chat.completions.create(model=MODEL, messages=SAY_HI, stream=True))
check("stream", "".join(chunk.choices[0].delta.content or "" for chunk in chunks), TEXT)
check("stream end", chunks[-1].choices[0].finish_reason, "stop")
check("stream usage not asked for", [chunk.usage for chunk in chunks if chunk.usage], [])

asked = {"include_usage": True}
chunks = list(c.chat.completions.create(model=MODEL, messages=SAY_HI, stream=True, stream_options=asked))
check("stream with usage", (chunks[-1].choices, chunks[-1].usage.total_tokens), ([], 19))

call = c.chat.completions.create(model=MODEL, messages=SAY_HI, tools=TOOLS).choices[0].message
check("tool", (call.tool_calls[0].function.name, call.tool_calls[0].function.arguments),
      ("get_weather", '{"city":"Paris"}'))
turn = [*SAY_HI, call, {"role": "tool", "tool_call_id": call.tool_calls[0].id, "content": "sunny"}]
after = c.chat.completions.create(model=MODEL, messages=turn, tools=TOOLS)
check("tool result", after.choices[0].message.content, TEXT)
arguments = ""
for chunk in c.chat.completions.create(model=MODEL, messages=SAY_HI, tools=TOOLS, stream=True):
    for delta in chunk.choices[0].delta.tool_calls or []:
        arguments += delta.function.arguments
check("tool streamed", arguments, '{"city":"Paris"}')

picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + PIXEL}}
seen = c.chat.completions.create(
    model=MODEL, messages=[{"role": "user", "content": [{"type": "text", "text": "what?"}, picture]}])
check("image input", seen.choices[0].message.content, TEXT)

embedding = c.embeddings.create(model="text-embedding-3-small", input="hi")
check("embedding", list(embedding.data[0].embedding), [0.5, -1.0])

whole = c.responses.create(model=MODEL, input="hi")
check("responses", (whole.output_text, whole.usage.output_tokens), (TEXT, 7))
events = list(c.responses.create(model=MODEL, input="hi", stream=True))
check("responses streamed", "".join(e.delta for e in events if e.type == "response.output_text.delta"), TEXT)
check("responses end", events[-1].type, "response.completed")
tool = c.responses.create(model=MODEL, input="hi", tools=[{"type": "function", "strict": True, **WEATHER}])
check("responses tool", tool.output[0].arguments, '{"city":"Paris"}')

legacy = c.completions.create(model="gpt-3.5-turbo-instruct", prompt="hi")
check("completions", legacy.choices[0].text, TEXT)

image = c.images.generate(model="gpt-image-1", prompt="a pixel")
check("image", (image.data[0].b64_json, image.usage.output_tokens), ("iVBORw0KGgo=", 100))
edited = c.images.edit(model="gpt-image-1", prompt="brighter", image=("pixel.png", io.BytesIO(b"\x89PNG"), "image/png"))
check("image edit", edited.data[0].b64_json, "iVBORw0KGgo=")
speech = c.audio.speech.create(model="tts-1", voice="alloy", input="hi")
check("speech", speech.content[:3].decode(), "ID3")
heard = c.audio.transcriptions.create(model="gpt-4o-transcribe", file=("a.wav", io.BytesIO(b"RIFF"), "audio/wav"))
check("transcription", heard.text, TEXT)
check("moderation", c.moderations.create(model="omni-moderation-latest", input="hi").results[0].flagged, False)

if ORDERS["listed"]:
    names = {model.id for model in c.models.list()}
    check("models", sorted(set(ORDERS["listed"]) - names), [])

check_errors(
    {
        400: openai.BadRequestError,
        401: openai.AuthenticationError,
        402: openai.APIStatusError,
        403: openai.PermissionDeniedError,
        404: openai.NotFoundError,
        429: openai.RateLimitError,
        500: openai.InternalServerError,
        502: openai.InternalServerError,
    },
    lambda key, model: client(key).chat.completions.create(model=model, messages=SAY_HI),
)
done()
