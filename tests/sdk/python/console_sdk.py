"""The official OpenAI SDK with a key that was made in the console: one whole answer and one streamed, or why there is none."""

import openai
from common import BASE, KEY, MODEL, TEXT, check, done, results

SAY_HI = [{"role": "user", "content": "hi"}]

c = openai.OpenAI(base_url=BASE + "/v1", api_key=KEY, max_retries=0, timeout=30)
try:
    whole = c.chat.completions.with_raw_response.create(model=MODEL, messages=SAY_HI)
    chat = whole.parse()
    check("answer", chat.choices[0].message.content, TEXT)
    check("usage", (chat.usage.prompt_tokens, chat.usage.completion_tokens), (12, 7))
    results["receipt"] = whole.headers["x-burncloud-receipt-id"]
    chunks = c.chat.completions.create(model=MODEL, messages=SAY_HI, stream=True)
    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    check("streamed", said, TEXT)
    results["status"] = 200
except openai.APIStatusError as error:
    results["status"], results["error"] = error.status_code, type(error).__name__
done()
