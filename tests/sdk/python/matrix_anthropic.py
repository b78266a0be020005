"""The official Anthropic SDK as a caller of the matrix."""

import anthropic
from matrix_common import BASE, DESCRIPTION, KEY, PIXEL, SCHEMA, Answer, run

client = anthropic.Anthropic(base_url=BASE, api_key=KEY, max_retries=0, timeout=60)


class Messages:
    STOP = {"end": "end_turn", "length": "max_tokens", "sequence": "stop_sequence", "tools": "tool_use", "filter": ["refusal"]}
    ERRORS = {400: anthropic.BadRequestError, 429: anthropic.RateLimitError, 503: anthropic.InternalServerError}
    COUNTS_REASONING = True
    OF_COHERE = False
    SHOWS_STREAM_ERROR = True

    @staticmethod
    def status(error):
        return error.status_code

    @staticmethod
    def header(error, name):
        return error.response.headers.get(name)

    def ask(self, ask):
        content = ask.text
        if ask.image:
            source = {"type": "base64", "media_type": "image/png", "data": PIXEL}
            content = [{"type": "image", "source": source}, {"type": "text", "text": ask.text}]
        messages = [{"role": "user", "content": content}]
        if ask.dialogue:
            messages.append({"role": "assistant", "content": ask.dialogue[0]})
            messages.append({"role": "user", "content": ask.dialogue[1]})
        if ask.turn:
            answer, results = ask.turn
            messages.append({"role": "assistant", "content": answer.history})
            blocks = [
                {"type": "tool_result", "tool_use_id": call[0], "content": result}
                for call, result in zip(answer.calls, results)
            ]
            messages.append({"role": "user", "content": blocks})
        fields = {"model": ask.model, "max_tokens": ask.max_tokens, "messages": messages}
        if ask.system:
            fields["system"] = ask.system
        if ask.tools:
            fields["tools"] = [{"name": "get_weather", "description": DESCRIPTION, "input_schema": SCHEMA}]
        if ask.force:
            fields["tool_choice"] = {"type": "any"}
        if ask.think:
            fields["thinking"] = {"type": "enabled", "budget_tokens": 1024}
        if ask.schema:
            fields["output_config"] = {"format": {"type": "json_schema", "schema": ask.schema}}
        if ask.stop:
            fields["stop_sequences"] = ask.stop
        if not ask.stream:
            return self.read(client.messages.create(**fields))
        said, deltas, last = "", 0, None
        with client.messages.stream(**fields) as stream:
            for event in stream:
                last = event.type
                if event.type == "text":
                    said, deltas = said + event.text, deltas + 1
                    ask.pieces += 1
            answer = self.read(stream.get_final_message())
        if last != "message_stop":
            raise anthropic.AnthropicError("the stream ended without message_stop")
        assert said == answer.text, f"deltas say {said!r}, the whole {answer.text!r}"
        answer.deltas = deltas
        return answer

    @staticmethod
    def read(message):
        def of(kind):
            return [block for block in message.content if block.type == kind]

        used = message.usage
        cached = used.cache_read_input_tokens or 0
        spent = used.output_tokens_details
        usage = {"input": used.input_tokens + cached + (used.cache_creation_input_tokens or 0), "cached": cached,
                 "output": used.output_tokens, "reasoning": (spent and spent.thinking_tokens) or 0}
        return Answer(
            "".join(block.text for block in of("text")),
            0,
            "".join(block.thinking for block in of("thinking")),
            [(block.id, block.name, block.input) for block in of("tool_use")],
            message.stop_reason,
            usage,
            message.content,
        )


run("anthropic-python", "anthropic", Messages())
