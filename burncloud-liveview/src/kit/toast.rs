//! Short notices, with a way to undo.

use super::Icon;
use crate::live::{Changes, Cx, Fault, use_conn, use_lang};
use dioxus::prelude::*;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

/// For how many seconds something can be undone.
const UNDO_SECONDS: u32 = 8;
/// For how many seconds a notice stays that asks nothing.
const STAY_SECONDS: u32 = 5;

type Undoing = Pin<Box<dyn Future<Output = Result<(), Fault>> + Send>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    Done,
    Note,
    Failed,
}

/// A notice.
#[derive(Clone)]
pub struct Toast {
    mood: Mood,
    main: String,
    sub: Option<String>,
    undo: Option<Rc<dyn Fn(Cx) -> Undoing>>,
}

impl Toast {
    fn new(mood: Mood, main: impl Into<String>) -> Toast {
        Toast { mood, main: main.into(), sub: None, undo: None }
    }

    /// Something was done: "Key revoked". Leaves by itself.
    #[must_use]
    pub fn done(main: impl Into<String>) -> Toast {
        Toast::new(Mood::Done, main)
    }

    /// Something to know. Leaves by itself.
    #[must_use]
    pub fn note(main: impl Into<String>) -> Toast {
        Toast::new(Mood::Note, main)
    }

    /// Something failed. Stays until it is dismissed.
    #[must_use]
    pub fn failed(main: impl Into<String>) -> Toast {
        Toast::new(Mood::Failed, main)
    }

    /// With a second line.
    #[must_use]
    #[expect(clippy::should_implement_trait, reason = "nobody subtracts from a notice")]
    pub fn sub(mut self, sub: impl Into<String>) -> Toast {
        self.sub = Some(sub.into());
        self
    }

    /// With a button that undoes it, for 8 seconds. What it does runs as a write does, on the server's runtime, also
    /// when the page that showed the notice is gone: it must own what it needs.
    #[must_use]
    pub fn undo<F, E>(mut self, undo: impl Fn(Cx) -> F + 'static) -> Toast
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Fault> + Send + 'static,
    {
        self.undo = Some(Rc::new(move |cx| {
            let undoing = undo(cx);
            Box::pin(async move { undoing.await.map_err(Into::into) })
        }));
        self
    }

    /// For how many seconds it stays; for ever where it says nothing.
    fn seconds(&self) -> Option<u32> {
        match (self.mood, &self.undo) {
            (_, Some(_)) => Some(UNDO_SECONDS),
            (Mood::Failed, None) => None,
            _ => Some(STAY_SECONDS),
        }
    }
}

#[derive(Clone)]
struct Entry {
    id: u64,
    toast: Toast,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

/// The notices of a page, from [`use_toasts`].
#[derive(Clone, Copy, PartialEq)]
pub struct Toasts {
    shown: Signal<Vec<Entry>>,
    next: Signal<u64>,
}

/// At most so many at once; the oldest leaves.
const ROOM: usize = 4;

impl Toasts {
    pub(crate) fn new() -> Toasts {
        Toasts { shown: Signal::new(Vec::new()), next: Signal::new(0) }
    }

    /// Shows a notice.
    pub fn show(&mut self, toast: Toast) {
        let id = *self.next.peek();
        self.next.set(id + 1);
        let mut shown = self.shown.write();
        if shown.len() == ROOM {
            shown.remove(0);
        }
        shown.push(Entry { id, toast });
    }

    fn drop_one(&mut self, id: u64) {
        self.shown.write().retain(|entry| entry.id != id);
    }
}

/// The notices of this page.
#[must_use]
pub fn use_toasts() -> Toasts {
    use_context::<Toasts>()
}

/// Where the notices stand; the shell has it once.
#[component]
pub fn ToastStack() -> Element {
    let (lang, toasts) = (use_lang(), use_toasts());
    let shown = toasts.shown.read().clone();
    rsx! {
        div { class: "toast toast-end max-md:toast-center p-0! m-4! max-md:mb-20! max-md:mx-0! z-40 gap-2", role: "region",
            "aria-label": lang.t("Notices", "通知"),
            for entry in shown { One { key: "{entry.id}", entry } }
        }
    }
}

#[component]
fn One(entry: Entry) -> Element {
    let (lang, conn, mut toasts) = (use_lang(), use_conn(), use_toasts());
    let mut changes = use_context::<Changes>();
    let id = entry.id;
    let mut left = use_signal(|| entry.toast.seconds());
    use_future(move || async move {
        loop {
            let now = *left.peek();
            let Some(seconds) = now else { break };
            tokio::time::sleep(Duration::from_secs(1)).await;
            match seconds {
                0 | 1 => {
                    toasts.drop_one(id);
                    break;
                }
                more => left.set(Some(more - 1)),
            }
        }
    });
    let (icon, tone, role) = match entry.toast.mood {
        Mood::Done => ("icon-[lucide--check]", "size-[1.125rem] mt-0.5 text-success", "status"),
        Mood::Note => ("icon-[lucide--info]", "size-[1.125rem] mt-0.5 text-muted", "status"),
        Mood::Failed => ("icon-[lucide--circle-alert]", "size-[1.125rem] mt-0.5 text-error", "alert"),
    };
    let undo = entry.toast.undo.clone();
    let undo = move |_| {
        let Some(undo) = undo.clone() else { return };
        let doing = conn.console.runtime().spawn(undo(conn.cx()));
        left.set(None);
        // The notice goes at once, and with it this component: the rest belongs to the page.
        dioxus::core::spawn_forever(async move {
            match doing.await {
                Ok(Ok(())) => changes.happened(),
                Ok(Err(fault)) => toasts.show(Toast::failed(fault.in_lang(lang).text)),
                Err(_) => toasts.show(Toast::failed(crate::live::broken(lang))),
            }
        });
        toasts.drop_one(id);
    };
    rsx! {
        div { role,
            div { class: "w-[22rem] max-w-[calc(100vw-2rem)] panel bg-raised shadow-lift px-4 py-3 flex items-start gap-3",
                Icon { i: icon, class: tone }
                div { class: "min-w-0 grow",
                    p { class: "font-medium wrap-anywhere", "{entry.toast.main}" }
                    if let Some(sub) = &entry.toast.sub { p { class: "text-sm text-muted num wrap-anywhere", "{sub}" } }
                }
                if entry.toast.undo.is_some() {
                    button { r#type: "button", class: "btn btn-quiet btn-xs num", onclick: undo,
                        {lang.t("Undo", "撤销")}
                        span { "aria-hidden": "true", "0:{left().unwrap_or_default():02}" }
                    }
                }
                button { r#type: "button", class: "btn btn-ghost btn-xs btn-square -me-1.5", "aria-label": lang.t("Dismiss", "关闭"),
                    onclick: move |_| toasts.drop_one(id),
                    Icon { i: "icon-[lucide--x]", class: "size-3.5" }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_stays_and_an_undo_has_its_time() {
        assert_eq!(Toast::failed("no").seconds(), None);
        assert_eq!(Toast::done("yes").seconds(), Some(STAY_SECONDS));
        let undo = Toast::done("gone").sub("really").undo(|_| async { Ok::<(), Fault>(()) });
        assert_eq!(undo.seconds(), Some(UNDO_SECONDS));
    }
}
