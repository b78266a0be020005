"""The official SDKs as clients of Azure, Foundry and Vertex, against a running gateway.

Beside the common orders: claude and gemini, models that the gateway serves.
"""

import anthropic
import openai
from common import BASE, KEY, MODEL, ORDERS, TEXT, check, done
from google import genai
from google.genai import types
from google.oauth2.credentials import Credentials

CLAUDE, GEMINI = ORDERS["claude"], ORDERS["gemini"]
SAY_HI = [{"role": "user", "content": "hi"}]
OPTIONS = {"max_retries": 0, "timeout": 30}


def openai_speaks(name, c, model):
    chat = c.chat.completions.create(model=model, messages=SAY_HI)
    check(f"{name} chat", (chat.choices[0].message.content, chat.usage.prompt_tokens), (TEXT, 12))
    asked = {"include_usage": True}
    chunks = list(c.chat.completions.create(model=model, messages=SAY_HI, stream=True, stream_options=asked))
    check(f"{name} stream", "".join(c.choices[0].delta.content or "" for c in chunks if c.choices), TEXT)
    check(f"{name} stream usage", chunks[-1].usage.total_tokens, 19)
    check(f"{name} responses", c.responses.create(model=model, input="hi").output_text, TEXT)
    try:
        c.chat.completions.create(model="no-such-model", messages=SAY_HI)
    except openai.NotFoundError as error:
        check(f"{name} unknown model", error.status_code, 404)
    else:
        check(f"{name} unknown model", "no exception", 404)


def anthropic_speaks(name, c):
    plain = {"model": CLAUDE, "max_tokens": 64, "messages": SAY_HI}
    message = c.messages.create(**plain)
    check(f"{name} message", (message.content[0].text, message.usage.input_tokens), (TEXT, 8))
    with c.messages.stream(**plain) as stream:
        check(f"{name} stream", "".join(stream.text_stream), TEXT)
        check(f"{name} stream usage", stream.get_final_message().usage.output_tokens, 7)
    check(f"{name} count", c.messages.count_tokens(model=CLAUDE, messages=SAY_HI).input_tokens, 12)
    try:
        c.messages.create(**{**plain, "model": "claude-unknown"})
    except anthropic.NotFoundError as error:
        check(f"{name} unknown model", error.body["error"]["type"], "not_found_error")
    else:
        check(f"{name} unknown model", "no exception", "not_found_error")


azure = openai.AzureOpenAI(azure_endpoint=BASE, api_key=KEY, api_version="2025-03-01-preview", **OPTIONS)
openai_speaks("azure", azure, MODEL)
entra = openai.AzureOpenAI(azure_endpoint=BASE, azure_ad_token=KEY, api_version="2024-10-21", **OPTIONS)
check("azure token", entra.chat.completions.create(model=MODEL, messages=SAY_HI).choices[0].message.content, TEXT)
openai_speaks("azure v1", openai.OpenAI(base_url=BASE + "/openai/v1/", api_key=KEY, **OPTIONS), MODEL)
anthropic_speaks("foundry", anthropic.AnthropicFoundry(base_url=BASE + "/anthropic", api_key=KEY, **OPTIONS))
anthropic_speaks("vertex claude", anthropic.AnthropicVertex(
    base_url=BASE + "/v1", region="us-central1", project_id="theirs", access_token=KEY, **OPTIONS))

for version in (None, "v1"):
    vertex = genai.Client(
        vertexai=True, project="theirs", location="us-central1", credentials=Credentials(token=KEY),
        http_options=types.HttpOptions(base_url=BASE, api_version=version, timeout=30_000))
    name = f"vertex gemini {version}"
    whole = vertex.models.generate_content(model=GEMINI, contents="hi")
    check(f"{name} content", (whole.text, whole.usage_metadata.prompt_token_count), (TEXT, 12))
    chunks = list(vertex.models.generate_content_stream(model=GEMINI, contents="hi"))
    check(f"{name} stream", "".join(chunk.text or "" for chunk in chunks), TEXT)
    check(f"{name} count", vertex.models.count_tokens(model=GEMINI, contents="hi").total_tokens, 12)
done()
