//! Turns as Anthropic demands them.

use crate::translate::{Content, Conversation, FunctionTool, Part, Role, Tool, Turn};
use std::collections::BTreeSet;

/// Said where the first turn is not the user's.
const OPENING: &str = ".";

/// Brings the turns into the order that Anthropic takes:
///
/// - instructions between turns stay turns only where `system_turns` says that the model knows such, and where they
///   stand between a user's turn and the model's (or at the end); before the first turn they join the others, elsewhere
///   they become part of the user's turn;
/// - turns of one role that follow each other are one;
/// - a user's turn begins with the results of tools;
/// - the first turn is the user's: with no turn at all the instructions are, else a dot is;
/// - an answer that the caller has begun ends without white space.
pub(in crate::translate) fn arrange(conversation: &mut Conversation, system_turns: bool) {
    let mut turns: Vec<Turn> = Vec::with_capacity(conversation.turns.len() + 1);
    let mut rest = std::mem::take(&mut conversation.turns).into_iter().peekable();
    while let Some(mut turn) = rest.next() {
        turn.parts.retain(says_something);
        if turn.parts.is_empty() {
            continue;
        }
        if matches!(turn.role, Role::System | Role::Developer) {
            if turns.is_empty() {
                conversation.system.append(&mut turn.parts);
                continue;
            }
            let after_user = turns.last().is_some_and(|turn| turn.role == Role::User);
            let before_model = rest.peek().is_none_or(|next| next.role == Role::Assistant);
            turn.role = if system_turns && after_user && before_model { Role::System } else { Role::User };
        }
        match turns.last_mut() {
            Some(last) if last.role == turn.role => {
                last.parts.append(&mut turn.parts);
                last.carry.extend(turn.carry);
            }
            _ => turns.push(turn),
        }
    }
    for turn in turns.iter_mut().filter(|turn| turn.role == Role::User) {
        turn.parts.sort_by_key(|part| !is_result(part));
    }
    if turns.is_empty() {
        turns.push(Turn::new(Role::User, std::mem::take(&mut conversation.system)));
    } else if turns[0].role != Role::User {
        turns.insert(0, Turn::new(Role::User, vec![Part::text(OPENING)]));
    }
    if let Some(last) = turns.last_mut().filter(|turn| turn.role == Role::Assistant)
        && let Some(Part { content: Content::Text { text, .. }, .. }) = last.parts.last_mut()
    {
        text.truncate(text.trim_end().len());
    }
    conversation.turns = turns;
}

/// Texts of white space are refused; one with sources may stand for them.
fn says_something(part: &Part) -> bool {
    match &part.content {
        Content::Text { text, citations, .. } => !text.trim().is_empty() || !citations.is_empty(),
        _ => true,
    }
}

fn is_result(part: &Part) -> bool {
    matches!(part.content, Content::ToolResult(_))
}

/// Tools that take anything, for every call that stands in the conversation.
pub(in crate::translate) fn stand_ins(conversation: &Conversation) -> Vec<Tool> {
    let parts = conversation.turns.iter().flat_map(|turn| &turn.parts);
    let names: BTreeSet<&str> = parts
        .filter_map(|part| match &part.content {
            Content::ToolCall(call) => Some(call.name.as_str()),
            _ => None,
        })
        .collect();
    names
        .into_iter()
        .map(|name| Tool::Function(FunctionTool { name: name.to_owned(), ..FunctionTool::default() }))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::translate::ToolResult;

    fn turn(role: Role, texts: &[&str]) -> Turn {
        Turn::new(role, texts.iter().map(|text| Part::text(*text)).collect())
    }

    fn arranged(turns: Vec<Turn>, system_turns: bool) -> (Vec<(Role, String)>, String) {
        let mut conversation = Conversation { turns, ..Conversation::default() };
        arrange(&mut conversation, system_turns);
        let text = |parts: &[Part]| {
            let texts: Vec<&str> = parts.iter().map(|part| part.as_text().unwrap_or("result")).collect();
            texts.join("|")
        };
        let turns = conversation.turns.iter().map(|turn| (turn.role, text(&turn.parts))).collect();
        (turns, text(&conversation.system))
    }

    #[test]
    fn turns_alternate_and_begin_with_the_user() {
        use Role::{Assistant, Developer, System, User};
        let turns = vec![
            turn(System, &["be brief"]),
            turn(Assistant, &["hello", "  "]),
            turn(User, &["a"]),
            turn(Developer, &["now French"]),
            turn(User, &["b"]),
            turn(Assistant, &["well \n"]),
        ];
        let (turns, system) = arranged(turns, false);
        let expect = [(User, "."), (Assistant, "hello"), (User, "a|now French|b"), (Assistant, "well")];
        assert_eq!(turns, expect.map(|(role, text)| (role, text.to_owned())));
        assert_eq!(system, "be brief");
    }

    #[test]
    fn instructions_stay_where_the_model_knows_them() {
        use Role::{Assistant, System, User};
        let turns =
            || vec![turn(User, &["a"]), turn(Assistant, &["b"]), turn(User, &["c"]), turn(System, &["d"])];
        assert_eq!(arranged(turns(), true).0[3], (System, "d".to_owned()));
        assert_eq!(arranged(turns(), false).0[2], (User, "c|d".to_owned()));
        let (turns, system) = arranged(vec![turn(System, &["only this"])], true);
        assert_eq!((turns, system), (vec![(User, "only this".to_owned())], String::new()));
    }

    #[test]
    fn results_come_first_in_one_turn() {
        let result = || Part::new(Content::ToolResult(ToolResult::default()));
        let turns = vec![
            turn(Role::User, &["a"]),
            turn(Role::Assistant, &["calls"]),
            Turn::new(Role::User, vec![result()]),
            Turn::new(Role::User, vec![Part::text("and"), result()]),
        ];
        assert_eq!(arranged(turns, false).0[2], (Role::User, "result|result|and".to_owned()));
    }
}
