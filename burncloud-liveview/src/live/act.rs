//! Writing what somebody asked for.

use super::conn::{Conn, Cx, use_conn};
use super::fault::Fault;
use crate::kit::{Toast, Toasts};
use crate::lang::Lang;
use dioxus::prelude::*;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

/// How many writes of this page succeeded: what was read before is read again.
#[derive(Clone, Copy)]
pub(crate) struct Changes(Signal<u64>);

impl Changes {
    pub(crate) fn new() -> Changes {
        Changes(Signal::new(0))
    }

    pub(super) fn count(&self) -> u64 {
        *self.0.read()
    }

    pub(crate) fn happened(&mut self) {
        *self.0.write() += 1;
    }
}

/// What is said of a write that ended without an answer.
pub(crate) fn broken(lang: Lang) -> &'static str {
    lang.t("this failed: the server’s log says why", "操作失败，原因见服务器日志")
}

type Doing<O> = Pin<Box<dyn Future<Output = Result<O, Fault>> + Send>>;
type Action<I, O> = Rc<dyn Fn(Cx, I) -> Doing<O>>;

/// Something that somebody may do, from [`use_act`].
pub struct Act<I: 'static, O: 'static> {
    action: CopyValue<Action<I, O>>,
    busy: Signal<bool>,
    fault: Signal<Option<Fault>>,
    conn: CopyValue<Conn>,
    changes: Changes,
    toasts: Toasts,
}

impl<I, O> Clone for Act<I, O> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<I, O> Copy for Act<I, O> {}
impl<I, O> PartialEq for Act<I, O> {
    fn eq(&self, other: &Self) -> bool {
        self.busy == other.busy
    }
}

impl<I: 'static, O: Send + 'static> Act<I, O> {
    /// Whether it is being done: the button waits.
    #[must_use]
    pub fn busy(&self) -> bool {
        *self.busy.read()
    }

    /// What was wrong with that field the last time, for [`Field`](crate::kit::Field).
    #[must_use]
    pub fn error(&self, field: &str) -> Option<String> {
        self.fault.read().as_ref().and_then(|fault| fault.of(field)).map(str::to_owned)
    }

    /// What went wrong the last time.
    #[must_use]
    pub fn fault(&self) -> Option<Fault> {
        self.fault.read().clone()
    }

    /// Forgets what went wrong: a form is opened anew.
    pub fn clear(&mut self) {
        self.fault.set(None);
    }

    /// Does it. One at a time: while it is being done, nothing more happens.
    pub fn run(&mut self, input: I) {
        self.then(input, |_| ());
    }

    /// Does it, and calls `done` with what came of it once it succeeded. A fault with a field stays with the form
    /// ([`Act::error`]); any other is a toast as well. What was begun is done to its end, also when its page is left;
    /// `done` is not called then.
    pub fn then(&mut self, input: I, done: impl FnOnce(O) + 'static) {
        if *self.busy.peek() {
            return;
        }
        let (mut act, lang) = (*self, self.conn.peek().look.lang);
        act.busy.set(true);
        let doing = (self.action.peek().clone())(self.conn.peek().cx(), input);
        let doing = self.conn.peek().console.runtime().spawn(doing);
        spawn(async move {
            let done_so = doing.await;
            act.busy.set(false);
            match done_so {
                Ok(Ok(output)) => {
                    act.fault.set(None);
                    act.changes.happened();
                    done(output);
                }
                Ok(Err(fault)) => act.failed(fault.in_lang(lang)),
                Err(_) => act.failed(Fault::new(broken(lang))),
            }
        });
    }

    fn failed(&mut self, fault: Fault) {
        if fault.field.is_none() {
            self.toasts.show(Toast::failed(&fault.text));
        }
        self.fault.set(Some(fault));
    }
}

/// Something that somebody may do, on the server's runtime and not on the thread that draws. When it succeeded,
/// everything that the page read with [`use_load`](super::use_load) is read again.
///
/// ```ignore
/// let mut revoke = use_act(|cx, id| async move { cx.console.desk().revoke_key(&cx.viewer.actor, id).await });
/// rsx! { button { disabled: revoke.busy(), onclick: move |_| revoke.run(id), "Revoke" } }
/// ```
pub fn use_act<I, O, E, F>(action: impl Fn(Cx, I) -> F + 'static) -> Act<I, O>
where
    I: 'static,
    O: Send + 'static,
    E: Into<Fault> + Send + 'static,
    F: Future<Output = Result<O, E>> + Send + 'static,
{
    let conn = use_conn();
    let changes = use_context::<Changes>();
    let toasts = use_context::<Toasts>();
    use_hook(|| {
        let action: Action<I, O> = Rc::new(move |cx, input| {
            let doing = action(cx, input);
            Box::pin(async move { doing.await.map_err(Into::into) })
        });
        Act {
            action: CopyValue::new(action),
            busy: Signal::new(false),
            fault: Signal::new(None),
            conn: CopyValue::new(conn),
            changes,
            toasts,
        }
    })
}
