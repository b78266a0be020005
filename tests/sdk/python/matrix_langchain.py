"""LangChain as a caller of the matrix: its chat models drive a loop of three steps over tools."""

from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from matrix_common import BASE, KEY, run


@tool
def search(query: str) -> str:
    """Searches the web."""
    return f"for {query}: https://example.test/found"


@tool
def fetch(url: str) -> str:
    """Fetches a page."""
    return f"{url} says: the answer is 42"


TOOLS = {one.name: one for one in (search, fetch)}


class Loop:
    def __init__(self, model):
        self.model = model

    def agent(self, ask):
        model = self.model(ask.model).bind_tools(list(TOOLS.values()))
        messages = [HumanMessage(ask.text)]
        for _ in range(5):
            said = model.invoke(messages)
            messages.append(said)
            if not said.tool_calls:
                return said.text
            for call in said.tool_calls:
                result = TOOLS[call["name"]].invoke(call["args"])
                messages.append(ToolMessage(result, tool_call_id=call["id"]))
        raise AssertionError("the loop does not end")


def openai(**fields):
    return lambda name: ChatOpenAI(model=name, base_url=BASE + "/v1", api_key=KEY, max_retries=0, timeout=60, **fields)


def anthropic(name):
    return ChatAnthropic(model=name, base_url=BASE, api_key=KEY, max_retries=0, timeout=60, max_tokens=2000)


run("langchain-openai", "chat", Loop(openai()), only=["agent"])
run("langchain-openai", "responses", Loop(openai(use_responses_api=True)), only=["agent"])
run("langchain-anthropic", "anthropic", Loop(anthropic), only=["agent"])
