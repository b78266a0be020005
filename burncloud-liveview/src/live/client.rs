//! What a page may ask of the browser, beside the edits of its elements.

use serde::Serialize;
use tokio::sync::mpsc;

/// The first byte of a frame that holds a command.
pub(super) const COMMAND: u8 = 2;

/// The browser at the other end of a socket. What is sent to one that went away, or that does not keep up, is lost.
#[derive(Clone, Debug)]
pub struct Client(mpsc::Sender<Vec<u8>>);

impl Client {
    pub(crate) fn new(frames: mpsc::Sender<Vec<u8>>) -> Client {
        Client(frames)
    }

    fn send(&self, name: &str, argument: impl Serialize) {
        let mut frame = vec![COMMAND];
        if serde_json::to_writer(&mut frame, &(name, argument)).is_ok() {
            let _ = self.0.try_send(frame);
        }
    }

    /// Says which build speaks; a browser with the script of another one loads the page anew.
    pub(super) fn hello(&self, build: &str) {
        self.send("hello", build);
    }

    /// Sets the title of the tab.
    pub fn title(&self, title: &str) {
        self.send("title", title);
    }

    /// Shows this URL, which is the console's, as a new entry of the history.
    pub fn push(&self, url: &str) {
        self.send("push", url);
    }

    /// Shows this URL, which is the console's, in place of the present entry.
    pub fn replace(&self, url: &str) {
        self.send("replace", url);
    }

    /// Goes back by one entry.
    pub fn back(&self) {
        self.send("go", -1);
    }

    /// Leaves for this URL, with a full load: a download, a page outside the console.
    pub fn leave(&self, url: &str) {
        self.send("href", url);
    }

    /// Puts the focus on the element with this id.
    pub fn focus(&self, id: &str) {
        self.send("focus", id);
    }

    /// Scrolls the element with this id into sight.
    pub fn reveal(&self, id: &str) {
        self.send("reveal", id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_command_is_a_tagged_pair() {
        let (tx, mut rx) = mpsc::channel(1);
        let client = Client::new(tx);
        client.title("A \"title\"");
        client.focus("lost: the channel is full");
        assert_eq!(rx.recv().await.unwrap(), b"\x02[\"title\",\"A \\\"title\\\"\"]");
        assert!(rx.try_recv().is_err());
    }
}
