//! Reading what a page shows.

use super::conn::{Cx, use_conn};
use super::fault::Fault;
use crate::live::act::Changes;
use dioxus::core::Task;
use dioxus::prelude::*;
use std::future::Future;
use tokio_util::task::AbortOnDropHandle;

/// What [`use_load`] read: nothing yet, a value, or what went wrong. While it is read again the old value stays.
pub struct Loaded<T: 'static> {
    value: Signal<Option<Result<T, Fault>>>,
    busy: Signal<bool>,
    asked: Signal<u64>,
}

impl<T> Clone for Loaded<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Loaded<T> {}
impl<T> PartialEq for Loaded<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: 'static> Loaded<T> {
    /// What was read: `None` until then, and always in the first HTML. Draws the component again when that changes.
    #[must_use]
    pub fn read(&self) -> ReadableRef<'static, Signal<Option<Result<T, Fault>>>> {
        self.value.read_unchecked()
    }

    /// The value, where there is one.
    #[must_use]
    pub fn get(&self) -> Option<T>
    where
        T: Clone,
    {
        self.value.read().as_ref().and_then(|read| read.as_ref().ok()).cloned()
    }

    /// Whether it is being read right now.
    #[must_use]
    pub fn busy(&self) -> bool {
        *self.busy.read()
    }

    /// Reads it again. Not needed after a [`use_act`](super::use_act) that succeeded: that reads everything again.
    pub fn reload(&mut self) {
        *self.asked.write() += 1;
    }

    /// Changes the value that is shown, ahead of what will be read: a row that somebody just removed.
    pub fn patch(&mut self, change: impl FnOnce(&mut T)) {
        if let Some(Ok(value)) = self.value.write().as_mut() {
            change(value);
        }
    }
}

/// Reads what a page shows, on the server's runtime and not on the thread that draws: at first, when `deps` differ from
/// those of the last drawing, after a write through [`use_act`](super::use_act), and on [`Loaded::reload`]. A reading
/// that is overtaken is dropped. The first HTML reads nothing: draw a skeleton.
///
/// ```ignore
/// let keys = use_load(here.get("q"), |cx, q| async move { cx.console.desk().keys(&cx.viewer.actor, q).await });
/// ```
pub fn use_load<D, T, E, F>(deps: D, load: impl Fn(Cx, D) -> F + 'static) -> Loaded<T>
where
    D: Clone + PartialEq + 'static,
    T: Send + 'static,
    E: Into<Fault> + Send + 'static,
    F: Future<Output = Result<T, E>> + Send + 'static,
{
    let conn = use_conn();
    let changes = use_context::<Changes>();
    let (value, busy, asked) = (use_signal(|| None), use_signal(|| false), use_signal(|| 0));
    let mut last = use_hook(|| CopyValue::new(None::<(D, u64, u64, Task)>));
    let wanted = (deps, asked(), changes.count());
    let same =
        last.peek().as_ref().is_some_and(|(d, a, c, _)| (d, a, c) == (&wanted.0, &wanted.1, &wanted.2));
    if !same && conn.client.is_some() {
        if let Some((.., task)) = last.write().take() {
            task.cancel();
        }
        // Dropped with the task: nobody waits for a reading that was overtaken.
        let reading = load(conn.cx(), wanted.0.clone());
        let lang = conn.look.lang;
        let reading = AbortOnDropHandle::new(conn.console.runtime().spawn(reading));
        let task = spawn(async move {
            let (mut value, mut busy) = (value, busy);
            busy.set(true);
            let read = match reading.await {
                Ok(read) => read.map_err(|error| Into::<Fault>::into(error).in_lang(lang)),
                Err(_) => Err(Fault::new(
                    lang.t("this could not be read: the server’s log says why", "无法读取，原因见服务器日志"),
                )),
            };
            value.set(Some(read));
            busy.set(false);
        });
        last.set(Some((wanted.0, wanted.1, wanted.2, task)));
    }
    Loaded { value, busy, asked }
}
