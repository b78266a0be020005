"""The official OpenAI SDK as a caller of the matrix, in both of its dialects."""

import json

import openai
from matrix_common import BASE, DESCRIPTION, KEY, PIXEL, SCHEMA, Answer, Skip, run

client = openai.OpenAI(base_url=BASE + "/v1", api_key=KEY, max_retries=0, timeout=60)
NAMED = {"name": "get_weather", "description": DESCRIPTION, "parameters": SCHEMA}


class OpenAi:
    ERRORS = {400: openai.BadRequestError, 429: openai.RateLimitError, 503: openai.InternalServerError}
    COUNTS_REASONING = True
    OF_COHERE = False
    SHOWS_STREAM_ERROR = True

    @staticmethod
    def status(error):
        return error.status_code

    @staticmethod
    def header(error, name):
        return error.response.headers.get(name)


def merge(into, extra):
    """Joins what chunks carry beside the SDK's own fields, as a client that keeps everything does."""
    for key, value in (extra or {}).items():
        if value is None:
            continue
        if key in into and isinstance(value, (str, list)):
            into[key] = into[key] + value
        else:
            into[key] = value


class Chat(OpenAi):
    STOP = {"end": "stop", "length": "length", "sequence": "stop", "tools": "tool_calls", "filter": ["content_filter"]}

    def ask(self, ask):
        content = ask.text
        if ask.image:
            url = "data:image/png;base64," + PIXEL
            content = [{"type": "text", "text": ask.text}, {"type": "image_url", "image_url": {"url": url}}]
        messages = [{"role": "user", "content": content}]
        if ask.system:
            messages.insert(0, {"role": "system", "content": ask.system})
        if ask.dialogue:
            messages.append({"role": "assistant", "content": ask.dialogue[0]})
            messages.append({"role": "user", "content": ask.dialogue[1]})
        if ask.turn:
            answer, results = ask.turn
            messages.append(answer.history)
            for call, result in zip(answer.calls, results):
                messages.append({"role": "tool", "tool_call_id": call[0], "content": result})
        fields = {"model": ask.model, "messages": messages, "max_completion_tokens": ask.max_tokens}
        if ask.tools:
            fields["tools"] = [{"type": "function", "function": NAMED}]
        if ask.force:
            fields["tool_choice"] = "required"
        if ask.think:
            fields["reasoning_effort"] = "low"
        if ask.schema:
            named = {"name": "forecast", "schema": ask.schema, "strict": True}
            fields["response_format"] = {"type": "json_schema", "json_schema": named}
        if ask.stop:
            fields["stop"] = ask.stop
        return self.stream(ask, fields) if ask.stream else self.whole(fields)

    def whole(self, fields):
        response = client.chat.completions.create(**fields)
        choice, message = response.choices[0], response.choices[0].message
        calls = [(c.id, c.function.name, json.loads(c.function.arguments)) for c in message.tool_calls or []]
        extra = message.model_extra or {}
        thought = extra.get("reasoning_content") or extra.get("reasoning") or ""
        return Answer(message.content or "", 0, thought, calls, choice.finish_reason, self.usage(response.usage), message)

    def stream(self, ask, fields):
        answer, calls, extra = Answer(), {}, {}
        for chunk in client.chat.completions.create(**fields, stream=True, stream_options={"include_usage": True}):
            if chunk.usage:
                answer.usage = self.usage(chunk.usage)
            for choice in chunk.choices:
                answer.stop = choice.finish_reason or answer.stop
                if choice.delta.content:
                    answer.text += choice.delta.content
                    answer.deltas += 1
                    ask.pieces += 1
                merge(extra, choice.delta.model_extra)
                for part in choice.delta.tool_calls or []:
                    call = calls.setdefault(part.index, {"id": part.id, "type": "function", "function": {"name": "", "arguments": ""}})
                    merge(call, part.model_extra)
                    call["function"]["name"] += part.function.name or ""
                    call["function"]["arguments"] += part.function.arguments or ""
        made = [calls[index] for index in sorted(calls)]
        answer.calls = [(c["id"], c["function"]["name"], json.loads(c["function"]["arguments"])) for c in made]
        answer.thought = extra.get("reasoning_content") or extra.get("reasoning") or ""
        answer.history = {"role": "assistant", "content": answer.text or None, **extra}
        if made:
            answer.history["tool_calls"] = made
        return answer

    @staticmethod
    def usage(used):
        seen, spent = used.prompt_tokens_details, used.completion_tokens_details
        return {"input": used.prompt_tokens, "cached": (seen and seen.cached_tokens) or 0,
                "output": used.completion_tokens, "reasoning": (spent and spent.reasoning_tokens) or 0}


class Responses(OpenAi):
    STOP = {"end": "completed", "length": "max_output_tokens", "tools": "completed", "filter": ["content_filter"]}

    def ask(self, ask):
        if ask.stop:
            raise Skip("Responses has no stop sequences")
        content = ask.text
        if ask.image:
            picture = {"type": "input_image", "detail": "auto", "image_url": "data:image/png;base64," + PIXEL}
            content = [{"type": "input_text", "text": ask.text}, picture]
        items = [{"role": "user", "content": content}]
        if ask.dialogue:
            items.append({"role": "assistant", "content": ask.dialogue[0]})
            items.append({"role": "user", "content": ask.dialogue[1]})
        if ask.turn:
            answer, results = ask.turn
            items += answer.history
            for call, result in zip(answer.calls, results):
                items.append({"type": "function_call_output", "call_id": call[0], "output": result})
        fields = {"model": ask.model, "input": items, "max_output_tokens": ask.max_tokens, "store": False}
        if ask.system:
            fields["instructions"] = ask.system
        if ask.tools:
            fields["tools"] = [{"type": "function", "strict": True, **NAMED}]
        if ask.force:
            fields["tool_choice"] = "required"
        if ask.think:
            fields["reasoning"] = {"effort": "low", "summary": "auto"}
            fields["include"] = ["reasoning.encrypted_content"]
        if ask.schema:
            named = {"type": "json_schema", "name": "forecast", "schema": ask.schema, "strict": True}
            fields["text"] = {"format": named}
        if not ask.stream:
            return self.read(client.responses.create(**fields))
        done, said, deltas, arguments, summary = None, "", 0, {}, ""
        for number, event in enumerate(client.responses.create(**fields, stream=True)):
            assert event.sequence_number == number, f"event {number} has sequence number {event.sequence_number}"
            if event.type == "response.output_text.delta":
                said, deltas = said + event.delta, deltas + 1
                ask.pieces += 1
            elif event.type == "response.function_call_arguments.delta":
                arguments[event.output_index] = arguments.get(event.output_index, "") + event.delta
            elif event.type == "response.reasoning_summary_text.delta":
                summary += event.delta
            elif event.type in ("response.completed", "response.incomplete"):
                done = event.response
            elif event.type in ("error", "response.failed"):
                raise openai.APIError(str(event), None, body=None)
        if done is None:
            raise openai.APIError("the stream ended without its last event", None, body=None)
        answer = self.read(done)
        answer.deltas = deltas
        assert said == answer.text, f"deltas say {said!r}, the whole {answer.text!r}"
        assert summary == answer.thought, f"deltas think {summary!r}, the whole {answer.thought!r}"
        pieces = [json.loads(arguments[index]) for index in sorted(arguments)]
        assert pieces == [call[2] for call in answer.calls], f"deltas call with {pieces}"
        return answer

    @staticmethod
    def read(response):
        calls, thought = [], ""
        for item in response.output:
            if item.type == "function_call":
                calls.append((item.call_id, item.name, json.loads(item.arguments)))
            elif item.type == "reasoning":
                thought += "".join(part.text for part in item.summary)
        why = response.incomplete_details and response.incomplete_details.reason
        used = response.usage
        usage = {"input": used.input_tokens, "cached": used.input_tokens_details.cached_tokens,
                 "output": used.output_tokens, "reasoning": used.output_tokens_details.reasoning_tokens}
        return Answer(response.output_text, 0, thought, calls, why or response.status, usage, response.output)


run("openai-python", "chat", Chat())
run("openai-python", "responses", Responses())
