"""The official Cohere SDK (v2 client) as a caller of the matrix."""

import json

import cohere
from cohere.core.api_error import ApiError
from matrix_common import BASE, DESCRIPTION, KEY, PIXEL, SCHEMA, Answer, run

client = cohere.ClientV2(api_key=KEY, base_url=BASE, timeout=60)
ONCE = {"max_retries": 0}


class Chat:
    # Cohere has no word for a filter.
    STOP = {"end": "COMPLETE", "length": "MAX_TOKENS", "sequence": "STOP_SEQUENCE", "tools": "TOOL_CALL",
            "filter": ["ERROR", "COMPLETE"]}
    ERRORS = {400: cohere.BadRequestError, 429: cohere.TooManyRequestsError, 503: ApiError}
    COUNTS_REASONING = True
    OF_COHERE = True
    SHOWS_STREAM_ERROR = True

    @staticmethod
    def status(error):
        return error.status_code

    @staticmethod
    def header(error, name):
        return {key.lower(): value for key, value in error.headers.items()}.get(name)

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
        fields = {"model": ask.model, "messages": messages, "max_tokens": ask.max_tokens, "request_options": ONCE}
        if ask.tools:
            named = {"name": "get_weather", "description": DESCRIPTION, "parameters": SCHEMA}
            fields["tools"] = [{"type": "function", "function": named}]
        if ask.force:
            fields["tool_choice"] = "REQUIRED"
        if ask.think:
            fields["thinking"] = {"type": "enabled", "token_budget": 1024}
        if ask.schema:
            fields["response_format"] = {"type": "json_object", "json_schema": ask.schema}
        if ask.stop:
            fields["stop_sequences"] = ask.stop
        return self.stream(ask, fields) if ask.stream else self.whole(fields)

    def whole(self, fields):
        response = client.chat(**fields)
        message = response.message
        answer = Answer(stop=response.finish_reason, usage=self.usage(response.usage))
        for part in message.content or []:
            if part.type == "thinking":
                answer.thought += part.thinking
            else:
                answer.text += part.text
        answer.calls = [(c.id, c.function.name, json.loads(c.function.arguments)) for c in message.tool_calls or []]
        answer.history = message
        return answer

    def stream(self, ask, fields):
        answer, calls, plan = Answer(), {}, ""
        for event in client.chat_stream(**fields):
            if event.type == "content-start":
                answer.thought += event.delta.message.content.thinking or ""
                answer.text += event.delta.message.content.text or ""
            elif event.type == "content-delta":
                said = event.delta.message.content
                answer.thought += said.thinking or ""
                if said.text:
                    answer.text += said.text
                    answer.deltas += 1
                    ask.pieces += 1
            elif event.type == "tool-plan-delta":
                plan += event.delta.message.tool_plan
            elif event.type == "tool-call-start":
                call = event.delta.message.tool_calls
                calls[event.index] = [call.id, call.function.name, call.function.arguments or ""]
            elif event.type == "tool-call-delta":
                calls[event.index][2] += event.delta.message.tool_calls.function.arguments
            elif event.type == "message-end":
                if event.delta.finish_reason == "ERROR" and event.delta.error:
                    raise ApiError(body=event.delta.error)
                answer.stop, answer.usage = event.delta.finish_reason, self.usage(event.delta.usage)
        if answer.stop is None:
            raise ApiError(body="the stream ended without message-end")
        made = [calls[index] for index in sorted(calls)]
        answer.calls = [(id, name, json.loads(arguments)) for id, name, arguments in made]
        answer.history = {"role": "assistant"}
        if answer.thought:
            answer.history["content"] = [{"type": "thinking", "thinking": answer.thought}]
        if made:
            answer.history["tool_calls"] = [
                {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}
                for id, name, arguments in made
            ]
        if plan:
            answer.history["tool_plan"] = plan
        return answer

    @staticmethod
    def usage(used):
        extra = used.tokens.model_extra or {}
        return {"input": int(used.tokens.input_tokens), "cached": int(used.cached_tokens or 0),
                "output": int(used.tokens.output_tokens), "reasoning": int(extra.get("reasoning_tokens") or 0)}


run("cohere-python", "cohere", Chat())
