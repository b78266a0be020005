"""What the callers of the translation matrix share: their orders, the scenarios, and one result line for each.

The test that starts a script passes one JSON object in SDK_TEST:
  base       the gateway's address, http://host:port
  key        a key that may use every model of the matrix
  provider   whose words are spoken behind the gateway: chat, responses, anthropic, gemini, cohere, bedrock
  model      the model's name; `-` and the scenario is appended to it
  scenarios  {dialect: [scenario]}: what to run as a caller of which dialect
  aws        {"id", "secret"}: a key pair for callers that sign; null where there is none

Each result is one line on standard output: {"caller", "dialect", "scenario", "ok", "detail"}; `ok` is null where the
SDK itself has no such thing, and `detail` says why.

An SDK is adapted by a class with `ask`, which returns an `Answer` read from the SDK's own typed objects; what an
answer must be is said once, here.
"""

import json
import os
import traceback
from base64 import b64decode

ORDERS = json.loads(os.environ["SDK_TEST"])
BASE, KEY, PROVIDER = ORDERS["base"], ORDERS["key"], ORDERS["provider"]
TEXT = "Hello, wörld ✓"
SYSTEM = "You are the matrix."
THOUGHT = "Let me think about Paris."
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
PIXEL_BYTES = b64decode(PIXEL)
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city", "days"],
    "additionalProperties": False,
}
DESCRIPTION = "The weather in a city"
PARIS = ("get_weather", {"city": "Paris", "days": 3})
ROME = ("get_weather", {"city": "Rome", "days": 1})
# What these providers tell apart or show; what a caller can see depends on it.
SAYS_STOP_SEQUENCE = PROVIDER in ("anthropic", "cohere", "bedrock")
SHOWS_THOUGHTS = PROVIDER != "chat"
COUNTS_REASONING = PROVIDER != "bedrock"
RETRY_AFTER = "7"


class Skip(Exception):
    """The SDK itself has no such thing."""


class Answer:
    """What an SDK's typed objects say, and what it wants back as history."""

    def __init__(self, text="", deltas=0, thought="", calls=(), stop=None, usage=None, history=None):
        self.text, self.deltas, self.thought, self.calls = text, deltas, thought, list(calls)
        self.stop, self.usage, self.history = stop, usage, history


class Ask:
    """One request: each field that is set must be put where the SDK has it."""

    def __init__(self, scenario, **fields):
        self.model = f"{ORDERS['model']}-{scenario}"
        self.text = f"This is scenario:{scenario} speaking"
        self.stream = self.tools = self.force = self.image = self.think = False
        self.system = self.schema = self.stop = self.turn = self.dialogue = None
        self.max_tokens = 2000
        # How many pieces of text came while streaming.
        self.pieces = 0
        self.__dict__.update(fields)


def eq(what, have, want):
    assert have == want, f"{what}: have {have!r}, want {want!r}"


def one_of(what, have, want):
    assert have in want, f"{what}: have {have!r}, want one of {want!r}"


def text(sdk):
    answer = sdk.ask(Ask("text", system=SYSTEM))
    eq("text", answer.text, TEXT)
    eq("stop", answer.stop, sdk.STOP["end"])


def stream(sdk):
    answer = sdk.ask(Ask("text", system=SYSTEM, stream=True))
    eq("text", answer.text, TEXT)
    eq("stop", answer.stop, sdk.STOP["end"])
    assert answer.deltas > 1, f"the text came in {answer.deltas} delta(s)"


def dialogue(sdk):
    eq("text", sdk.ask(Ask("dialogue", dialogue=("the first answer", "and then?"))).text, TEXT)


def calls_of(sdk, answer, want):
    eq("calls", [(call[1], call[2]) for call in answer.calls], want)
    eq("stop", answer.stop, sdk.STOP["tools"])
    ids = [call[0] for call in answer.calls if call[0]]
    eq("ids are distinct", len(set(ids)), len(ids))


def one_tool(sdk, stream=False, scenario="one_tool", think=False):
    ask = Ask(scenario, tools=True, force=not think, stream=stream, think=think, max_tokens=4000 if think else 2000)
    answer = sdk.ask(ask)
    calls_of(sdk, answer, [PARIS])
    if think and SHOWS_THOUGHTS:
        eq("thought", answer.thought, THOUGHT)
    ask.turn, ask.force = (answer, ["It is sunny in Paris"]), False
    eq("after the result", sdk.ask(ask).text, "It is sunny in Paris.")


def one_tool_stream(sdk):
    one_tool(sdk, stream=True)


def parallel_tools(sdk, stream=False):
    ask = Ask("parallel_tools", tools=True, stream=stream)
    answer = sdk.ask(ask)
    calls_of(sdk, answer, [PARIS, ROME])
    ask.turn = (answer, ["It is sunny in Paris", "It is rainy in Rome"])
    eq("after the results", sdk.ask(ask).text, "It is sunny in Paris and rainy in Rome.")


def parallel_tools_stream(sdk):
    parallel_tools(sdk, stream=True)


def image(sdk):
    eq("text", sdk.ask(Ask("image", image=True)).text, f"I see image/png of {len(PIXEL_BYTES)} bytes")


def reasoning(sdk):
    one_tool(sdk, scenario="reasoning", think=True)


def reasoning_stream(sdk):
    one_tool(sdk, scenario="reasoning", think=True, stream=True)


def json_schema(sdk):
    eq("json", json.loads(sdk.ask(Ask("json_schema", schema=SCHEMA)).text), PARIS[1])


def length(sdk):
    for streamed in (False, True):
        eq("stop", sdk.ask(Ask("length", max_tokens=16, stream=streamed)).stop, sdk.STOP["length"])


def stop_sequence(sdk):
    want = sdk.STOP["sequence" if SAYS_STOP_SEQUENCE else "end"]
    for streamed in (False, True):
        eq("stop", sdk.ask(Ask("stop_sequence", stop=["END"], stream=streamed)).stop, want)


def refusal(sdk):
    for streamed in (False, True):
        one_of("stop", sdk.ask(Ask("refusal", stream=streamed)).stop, sdk.STOP["filter"])


def usage(sdk, streamed=False):
    have = sdk.ask(Ask("usage", stream=streamed)).usage
    reasoning = 10 if COUNTS_REASONING and sdk.COUNTS_REASONING else 0
    # What Cohere has cached it charges in full: it counts as any other input, but for Cohere's own callers.
    cached = 0 if PROVIDER == "cohere" and not sdk.OF_COHERE else 40
    eq("usage", have, {"input": 100, "cached": cached, "output": 30, "reasoning": reasoning})


def usage_stream(sdk):
    usage(sdk, streamed=True)


def fails(sdk, scenario, status, streamed):
    try:
        sdk.ask(Ask(scenario, stream=streamed))
    except sdk.ERRORS[status] as error:
        return error
    raise AssertionError(f"no {sdk.ERRORS[status]}")


def error_400(sdk):
    for streamed in (False, True):
        error = fails(sdk, "error_400", 400, streamed)
        eq("status", sdk.status(error), 400)
        assert "the matrix says no" in str(error), f"the provider's reason is lost: {error}"


def error_429(sdk):
    for streamed in (False, True):
        error = fails(sdk, "error_429", 429, streamed)
        eq("status", sdk.status(error), 429)
        eq("retry-after", sdk.header(error, "retry-after"), RETRY_AFTER)


def overload(sdk):
    for streamed in (False, True):
        one_of("status", sdk.status(fails(sdk, "overload", 503, streamed)), (503, 529))


def breaks(sdk, scenario):
    ask = Ask(scenario, stream=True)
    try:
        answer = sdk.ask(ask)
    except Exception as error:  # each SDK has its own; that it raises is the point
        assert not isinstance(error, (AssertionError, TypeError, AttributeError, KeyError)), repr(error)
        assert ask.pieces > 0, f"the stream did not even begin: {error!r}"
        return error
    raise AssertionError(f"a broken stream ended as if it were whole: {answer.text!r}, stop {answer.stop!r}")


def cut(sdk):
    breaks(sdk, "cut")


def error_mid_stream(sdk):
    error = breaks(sdk, "error_mid_stream")
    if sdk.SHOWS_STREAM_ERROR:
        assert "the matrix broke the stream" in str(error), f"the provider's reason is lost: {error!r}"


def agent(sdk):
    if not hasattr(sdk, "agent"):
        raise Skip("this SDK has no loop of its own")
    eq("answer", sdk.agent(Ask("agent")), "The answer is 42.")


SCENARIOS = {
    function.__name__: function
    for function in (
        text, stream, dialogue, one_tool, one_tool_stream, parallel_tools, parallel_tools_stream, image, reasoning,
        reasoning_stream, json_schema, length, stop_sequence, refusal, usage, usage_stream, error_400, error_429,
        overload, cut, error_mid_stream, agent,
    )
}


def report(caller, dialect, scenario, ok, detail):
    print(json.dumps({"caller": caller, "dialect": dialect, "scenario": scenario, "ok": ok, "detail": detail}), flush=True)


def run(caller, dialect, sdk, only=None):
    """Runs what was ordered of `dialect` through `sdk`, or of that `only` some."""
    for scenario in ORDERS["scenarios"].get(dialect, []):
        if only and scenario not in only:
            continue
        try:
            SCENARIOS[scenario](sdk)
        except Skip as why:
            report(caller, dialect, scenario, None, str(why))
        except AssertionError as error:
            report(caller, dialect, scenario, False, str(error)[:600])
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[1]
            report(caller, dialect, scenario, False, f"{type(error).__name__}: {error}"[:600] + f" (in {place.name})")
        else:
            report(caller, dialect, scenario, True, "")
