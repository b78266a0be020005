//! The scenarios: what a request of each must hold when it arrives, and what is answered.

use super::check::Checked;
use super::{Answer, Asked, Call, Choice, Fault, MARK, Part, Role, Scene, Stop, THOUGHT, Tool};
use crate::speak::PIECES;
use serde_json::{Value, json};

/// What a limited request is told to wait, in seconds.
pub(super) const RETRY_AFTER: &str = "7";
/// The text of an error in the middle of a stream.
pub(super) const BROKEN: &str = "the matrix broke the stream";
/// What every caller says as its system prompt in the scenario `text`.
const SYSTEM: &str = "You are the matrix.";

/// What happens to a request; a scenario whose conditions the request does not meet fails with 400 and the reason.
pub(super) fn scene(asked: &Asked) -> Scene {
    let Some(name) = scenario(asked) else {
        return Scene::Fails(Fault::Invalid, "the first user turn names no `scenario:…`".into());
    };
    if !asked.model.ends_with(&format!("-{name}")) {
        return Scene::Fails(
            Fault::Invalid,
            format!("model `{}` is not that of scenario {name}", asked.model),
        );
    }
    match name.as_str() {
        "error_400" => Scene::Fails(Fault::Invalid, "the matrix says no".into()),
        "error_429" => Scene::Fails(Fault::Limited, "the matrix is limited".into()),
        "overload" => Scene::Fails(Fault::Overloaded, "the matrix is overloaded".into()),
        "cut" => Scene::Cut(hello()),
        "error_mid_stream" => Scene::Breaks(hello()),
        _ => answer(&name, asked).map_or_else(|why| Scene::Fails(Fault::Invalid, why), Scene::Says),
    }
}

fn scenario(asked: &Asked) -> Option<String> {
    let first = asked.turns.iter().find(|turn| turn.role == Role::User)?;
    let text = first.parts.iter().find_map(|part| match part {
        Part::Text(text) => text.split_once("scenario:"),
        _ => None,
    })?;
    Some(text.1.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect())
}

fn answer(name: &str, asked: &Asked) -> Checked<Answer> {
    match name {
        "text" => text(asked),
        "dialogue" => dialogue(asked),
        "one_tool" => one_tool(asked),
        "parallel_tools" => parallel_tools(asked),
        "image" => image(asked),
        "reasoning" => reasoning(asked),
        "json_schema" => json_schema(asked),
        "length" => length(asked),
        "stop_sequence" => stop_sequence(asked),
        "refusal" => Ok(Answer { stop: Stop::Filter, ..says(&["I ", "cannot."]) }),
        "usage" => Ok(hello()),
        "agent" => agent(asked),
        other => Err(format!("there is no scenario `{other}`")),
    }
}

fn says(pieces: &[&str]) -> Answer {
    Answer { text: pieces.iter().map(|piece| (*piece).to_owned()).collect(), ..Answer::default() }
}

fn hello() -> Answer {
    says(&PIECES)
}

fn calls(calls: Vec<Call>) -> Answer {
    Answer { calls, stop: Stop::Tools, ..Answer::default() }
}

fn must(holds: bool, otherwise: impl FnOnce() -> String) -> Checked<()> {
    if holds { Ok(()) } else { Err(otherwise()) }
}

fn text(asked: &Asked) -> Checked<Answer> {
    must(asked.system.trim() == SYSTEM, || {
        format!("the system prompt is `{}`, not `{SYSTEM}`", asked.system)
    })?;
    must(asked.max_tokens == Some(2000), || format!("the output limit is {:?}, not 2000", asked.max_tokens))?;
    Ok(hello())
}

fn dialogue(asked: &Asked) -> Checked<Answer> {
    let said = |index: usize, role: Role| -> Checked<String> {
        let turn = asked.turns.get(index).filter(|turn| turn.role == role);
        let turn =
            turn.ok_or_else(|| format!("turn {index} is missing or not of {role:?}: {:?}", asked.turns))?;
        Ok(turn
            .parts
            .iter()
            .filter_map(|part| if let Part::Text(text) = part { Some(&**text) } else { None })
            .collect())
    };
    said(0, Role::User)?;
    let (answered, asks) = (said(1, Role::Assistant)?, said(2, Role::User)?);
    must(answered == "the first answer", || format!("the earlier answer is `{answered}`"))?;
    must(asks == "and then?", || format!("the last question is `{asks}`"))?;
    must(asked.turns.len() == 3, || format!("there are {} turns, not 3", asked.turns.len()))?;
    Ok(hello())
}

fn paris() -> Call {
    Call { key: "paris", name: "get_weather", args: json!({"city": "Paris", "days": 3}) }
}

fn rome() -> Call {
    Call { key: "rome", name: "get_weather", args: json!({"city": "Rome", "days": 1}) }
}

fn tool<'a>(asked: &'a Asked, name: &str) -> Checked<&'a Tool> {
    let found = asked.tools.iter().find(|tool| tool.name == name);
    found.ok_or_else(|| format!("tool `{name}` is not defined: {:?}", asked.tools))
}

fn weather_tool(asked: &Asked) -> Checked<()> {
    let tool = tool(asked, "get_weather")?;
    must(tool.described, || "the tool lost its description".into())?;
    city_and_days(&tool.schema)
}

fn city_and_days(schema: &Value) -> Checked<()> {
    let kind = |name: &str| schema["properties"][name]["type"].as_str().unwrap_or_default().to_lowercase();
    let have = (kind("city"), kind("days"));
    must(have == ("string".into(), "integer".into()), || {
        format!("the schema lost its properties: {schema}")
    })?;
    must(schema["required"].as_array().is_some_and(|all| all.len() == 2), || {
        format!("the schema lost what is required: {schema}")
    })
}

/// The results of `expected`, in its order, after checking that the calls came back as they were made.
fn results(asked: &Asked, expected: &[Call]) -> Checked<Option<Vec<String>>> {
    let parts = || asked.turns.iter().flat_map(|turn| &turn.parts);
    let made: Vec<(&str, &str, &Value)> = parts()
        .filter_map(|part| match part {
            Part::Call { id, name, args, .. } => Some((&**id, &**name, args)),
            _ => None,
        })
        .collect();
    if made.is_empty() {
        return Ok(None);
    }
    let want: Vec<(&str, &Value)> = expected.iter().map(|call| (call.name, &call.args)).collect();
    let have: Vec<(&str, &Value)> = made.iter().map(|(_, name, args)| (*name, *args)).collect();
    must(want == have, || format!("the calls came back as {have:?}, they were made as {want:?}"))?;
    let result = |id: &str| {
        parts().find_map(|part| match part {
            Part::Result { id: of, text } if of == id => Some(text.clone()),
            _ => None,
        })
    };
    let all = made.iter().map(|(id, ..)| result(id).ok_or_else(|| format!("no result of `{id}`")));
    all.collect::<Checked<Vec<_>>>().map(Some)
}

fn holds(result: &str, word: &str) -> Checked<()> {
    must(result.contains(word), || format!("the result is `{result}`, which does not say `{word}`"))
}

fn one_tool(asked: &Asked) -> Checked<Answer> {
    weather_tool(asked)?;
    match results(asked, &[paris()])? {
        None => {
            let must_call = matches!(asked.choice, Choice::Required | Choice::Named);
            must(must_call, || format!("the tool choice is {:?}, not required", asked.choice))?;
            Ok(calls(vec![paris()]))
        }
        Some(results) => {
            holds(&results[0], "sunny in Paris")?;
            Ok(says(&["It is ", "sunny in Paris."]))
        }
    }
}

fn parallel_tools(asked: &Asked) -> Checked<Answer> {
    weather_tool(asked)?;
    let Some(results) = results(asked, &[paris(), rome()])? else {
        return Ok(calls(vec![paris(), rome()]));
    };
    holds(&results[0], "sunny in Paris")?;
    holds(&results[1], "rainy in Rome")?;
    Ok(says(&["It is sunny in Paris ", "and rainy in Rome."]))
}

fn image(asked: &Asked) -> Checked<Answer> {
    let seen = asked.turns.iter().flat_map(|turn| &turn.parts).find_map(|part| match part {
        Part::Image { mime, bytes } => Some((mime, bytes)),
        _ => None,
    });
    let (mime, bytes) = seen.ok_or("no picture arrived")?;
    must(bytes.starts_with(b"\x89PNG"), || "the picture is not a PNG".into())?;
    Ok(says(&["I see ", &format!("{mime} of {} bytes", bytes.len())]))
}

/// Thinks, then calls; the next turn must bring the thought back with its mark unchanged.
fn reasoning(asked: &Asked) -> Checked<Answer> {
    must(asked.reasoning, || "reasoning was not asked for".into())?;
    let Some(results) = results(asked, &[paris()])? else {
        let thought = Some(THOUGHT.concat());
        return Ok(Answer { thought, ..calls(vec![paris()]) });
    };
    holds(&results[0], "sunny in Paris")?;
    Ok(says(&["It is ", "sunny in Paris."]))
}

/// Refuses a turn of tool use whose thought came back without its mark, or changed.
///
/// The mark is `on_call` at Gemini, which does not need its thoughts back; elsewhere on the thought.
pub(super) fn signed(asked: &Asked, on_call: bool) -> Checked<()> {
    let parts: Vec<&Part> = asked.turns.iter().flat_map(|turn| &turn.parts).collect();
    if !asked.reasoning || !parts.iter().any(|part| part.call_id().is_some()) {
        return Ok(());
    }
    let mark = parts.iter().find_map(|part| match part {
        Part::Thought { mark, .. } if !on_call => Some(mark.as_deref()),
        Part::Call { mark, .. } if on_call => Some(mark.as_deref()),
        _ => None,
    });
    let want = if on_call { "function call" } else { "thinking block" };
    match mark {
        Some(Some(MARK)) => {}
        Some(have) => return Err(format!("invalid signature in the {want}: {have:?}")),
        None => return Err(format!("a turn of tool use must begin with its {want}")),
    }
    let text = parts.iter().find_map(|part| match part {
        Part::Thought { text, .. } if !text.is_empty() => Some(text.clone()),
        _ => None,
    });
    let unchanged = on_call || !asked.thoughts || text.as_deref() == Some(&THOUGHT.concat());
    must(unchanged, || format!("the thought came back as {text:?}"))
}

fn json_schema(asked: &Asked) -> Checked<Answer> {
    let schema = asked.schema.as_ref().ok_or("no JSON schema arrived")?;
    city_and_days(schema)?;
    Ok(says(&["{\"city\":", "\"Paris\",\"days\":3}"]))
}

fn length(asked: &Asked) -> Checked<Answer> {
    must(asked.max_tokens == Some(16), || format!("the output limit is {:?}, not 16", asked.max_tokens))?;
    Ok(Answer { stop: Stop::Length, ..says(&["too ", "long to"]) })
}

fn stop_sequence(asked: &Asked) -> Checked<Answer> {
    must(asked.stops == ["END"], || format!("the stop sequences are {:?}, not [\"END\"]", asked.stops))?;
    Ok(Answer { stop: Stop::Sequence("END".into()), ..says(&["before ", "the end "]) })
}

/// A loop of three steps: search, fetch what was found, answer from what was fetched.
fn agent(asked: &Asked) -> Checked<Answer> {
    let search = Call { key: "search", name: "search", args: json!({"query": "burncloud"}) };
    let fetch = Call { key: "fetch", name: "fetch", args: json!({"url": "https://example.test/found"}) };
    tool(asked, "search")?;
    tool(asked, "fetch")?;
    let made =
        asked.turns.iter().flat_map(|turn| &turn.parts).filter(|part| part.call_id().is_some()).count();
    match made {
        0 => Ok(calls(vec![search])),
        1 => {
            let results = results(asked, &[search])?.unwrap_or_default();
            holds(&results[0], "https://example.test/found")?;
            Ok(Answer { text: vec!["I shall fetch it.".into()], ..calls(vec![fetch]) })
        }
        _ => {
            let results = results(asked, &[search, fetch])?.unwrap_or_default();
            holds(&results[1], "the answer is 42")?;
            Ok(says(&["The answer ", "is 42."]))
        }
    }
}
