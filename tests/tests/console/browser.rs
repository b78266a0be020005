//! A real browser: Chromium through its driver. Where none is installed, a test says that it skips.

use crate::client::Client;
use base64::Engine;
use burncloud_tests::gateway::free_port;
use burncloud_tests::{PATIENCE, sdk, skip};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use thirtyfour::prelude::*;
use thirtyfour::{ChromiumLikeCapabilities, LoggingPrefsLogLevel};

/// The widths at which pages are looked at.
pub(crate) const DESK: (u32, u32) = (1440, 900);
pub(crate) const PHONE: (u32, u32) = (390, 844);

/// An open browser at one console. Its processes end when it is dropped, however the test ended.
pub(crate) struct Browser {
    driver: WebDriver,
    process: Child,
    port: u16,
    base: String,
    _profile: TempDir,
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver ends its browser only when it is told to, and a panic leaves no runtime to tell it in.
        let _ = self.tell("DELETE", &format!("/session/{}", self.driver.session_id()));
        let _ = self.driver.clone().leak();
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Browser {
    /// Opens one at the server `base`; `None`, said aloud, where none is installed.
    pub(crate) async fn open(base: &str) -> Option<Self> {
        let exe = std::env::var_os("CHROMEDRIVER").unwrap_or_else(|| "chromedriver".into());
        let port = free_port();
        let mut command = Command::new(exe);
        command
            .arg(format!("--port={port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let process = match command.spawn() {
            Ok(process) => process,
            Err(error) => {
                skip(
                    "the console in a browser",
                    &format!("chromedriver: {error}; scripts/test.sh installs it"),
                );
                return None;
            }
        };
        burncloud_tests::eventually("the driver listens", || async {
            tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_ok()
        })
        .await;
        let profile = tempfile::Builder::new().prefix("burncloud-browser-").tempdir().unwrap();
        let driver = start(port, profile.path()).await;
        let browser = Self { driver, process, port, base: base.to_owned(), _profile: profile };
        browser.size(DESK).await;
        Some(browser)
    }

    /// A request to the driver, without a runtime.
    fn tell(&self, method: &str, path: &str) -> std::io::Result<()> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(stream, "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
        // The driver answers when it is done, and keeps the connection open all the same.
        stream.read(&mut [0; 512]).map(drop)
    }

    /// Takes over a session that somebody has.
    pub(crate) async fn become_(&self, client: &Client) {
        self.go("/signin").await;
        for (name, value) in &client.jar {
            let mut cookie = Cookie::new(name.clone(), value.clone());
            cookie.set_path("/");
            self.driver.add_cookie(cookie).await.unwrap();
        }
    }

    /// Loads a page of the console.
    pub(crate) async fn go(&self, path: &str) {
        let url = format!("{}/console{path}", self.base);
        self.driver.goto(&url).await.unwrap_or_else(|error| panic!("{url}: {error}"));
    }

    /// Loads a page and waits until its socket has taken over and nothing is being read any more.
    pub(crate) async fn visit(&self, path: &str) {
        self.go(path).await;
        self.live(path).await;
    }

    /// Waits until the socket has taken over, and everything that the page reads is there.
    pub(crate) async fn live(&self, what: &str) {
        self.until_or(
            "document.documentElement.dataset.lv === 'on' && !document.querySelector('#main [aria-busy=true]')",
            what,
        )
        .await;
    }

    /// The value of an expression on the page.
    pub(crate) async fn js(&self, expression: &str) -> Value {
        let script = format!("return ({expression});");
        let value = self.driver.execute(script, Vec::new()).await;
        value.unwrap_or_else(|error| panic!("{expression}: {error}")).json().clone()
    }

    /// What a script says by calling `done`.
    pub(crate) async fn promised(&self, script: &str) -> Value {
        let script = format!("const done = arguments[0]; {script}");
        let value = self.driver.execute_async(script, Vec::new()).await;
        value.unwrap_or_else(|error| panic!("{error}")).json().clone()
    }

    /// Waits until an expression holds; a page that is being replaced does not fail it.
    pub(crate) async fn until(&self, expression: &str) {
        self.until_or(expression, "the page").await;
    }

    async fn until_or(&self, expression: &str, what: &str) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let script = format!("return !!({expression});");
            let held = self.driver.execute(script, Vec::new()).await;
            if held.as_ref().is_ok_and(|value| value.json() == &json!(true)) {
                return;
            }
            if tokio::time::Instant::now() >= deadline {
                let text = self.driver.execute("return document.body.innerText", Vec::new()).await;
                let text = text.map(|text| text.json().clone());
                panic!("{what}: never true: {expression}\n{held:?}\n{text:?}\n{:?}", self.complaints().await);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn element(&self, css: &str) -> WebElement {
        self.until(&format!("document.querySelector({})", json!(css))).await;
        self.driver.find(By::Css(css)).await.unwrap_or_else(|error| panic!("{css}: {error}"))
    }

    /// Clicks on what is there; where a drawing replaced it meanwhile, on what came instead.
    pub(crate) async fn click(&self, css: &str) {
        let mut again = 5;
        while let Err(error) = self.element(css).await.click().await {
            again -= 1;
            assert!(error.to_string().contains("stale") && again > 0, "{css}: {error}");
        }
    }

    /// Types into what is there already.
    pub(crate) async fn write_into(&self, css: &str, text: &str) {
        self.element(css).await.send_keys(text).await.unwrap_or_else(|error| panic!("{css}: {error}"));
    }

    /// Presses keys at whatever has the focus.
    pub(crate) async fn press(&self, keys: impl Into<TypingData>) {
        let focused = self.driver.active_element().await.unwrap();
        focused.send_keys(keys).await.unwrap();
    }

    pub(crate) async fn back(&self) {
        self.driver.back().await.unwrap();
    }

    pub(crate) async fn forward(&self) {
        self.driver.forward().await.unwrap();
    }

    /// A DevTools command.
    pub(crate) async fn devtools(&self, method: &str, params: Value) {
        self.driver.cdp().send_raw(method, params).await.unwrap_or_else(|error| panic!("{method}: {error}"));
    }

    /// Another window: so many CSS pixels.
    pub(crate) async fn size(&self, (width, height): (u32, u32)) {
        let phone = width < 600;
        let params = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone});
        self.devtools("Emulation.setDeviceMetricsOverride", params).await;
        self.devtools("Emulation.setTouchEmulationEnabled", json!({"enabled": phone})).await;
    }

    /// Another language and theme, as the buttons remember them. Holds from the next page on.
    pub(crate) async fn look(&self, lang: &str, theme: &str) {
        let set = format!(
            "document.cookie = 'bc-lang={lang}; Path=/console', document.cookie = 'bc-theme={theme}; Path=/console'"
        );
        self.js(&set).await;
    }

    /// Waits until nothing is on its way any more: what still fades in has no contrast yet.
    async fn still(&self) {
        let moving = "document.getAnimations().some((a) => a.playState === 'running' \
            && a.effect?.getComputedTiming().iterations !== Infinity)";
        self.until(&format!("!{moving}")).await;
    }

    /// A picture of the window in `<target>/console-shots`.
    pub(crate) async fn shot(&self, name: &str) {
        self.still().await;
        let page = self.js("[innerWidth, innerHeight]").await;
        let clip = |scale: f64| json!({"x": 0, "y": 0, "width": page[0], "height": page[1], "scale": scale});
        self.capture(&shots(), name, clip(1.0)).await;
        // A gallery has to travel with the documentation: half the size is enough to see what is where.
        if let Some(gallery) = std::env::var_os("BURNCLOUD_GALLERY") {
            self.capture(Path::new(&gallery), name, clip(0.5)).await;
        }
    }

    async fn capture(&self, folder: &Path, name: &str, clip: Value) {
        std::fs::create_dir_all(folder).unwrap();
        let params = json!({"format": "webp", "quality": 80, "clip": clip});
        let got = self.driver.cdp().send_raw("Page.captureScreenshot", params).await;
        let got = got.unwrap_or_else(|error| panic!("{name}: {error}"));
        let data = got["data"].as_str().or(got["value"]["data"].as_str());
        let picture = base64::engine::general_purpose::STANDARD.decode(data.unwrap()).unwrap();
        assert!(picture.len() > 1500, "{name} is an empty picture");
        std::fs::write(folder.join(format!("{name}.webp")), picture).unwrap();
    }

    /// What the browser complained about since it was last asked: errors of scripts, what the policy refused, what did
    /// not load.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        let log = self.driver.browser_log().await.unwrap_or_default();
        log.into_iter().filter(|entry| entry.level == "SEVERE").map(|entry| entry.message).collect()
    }

    /// Forgets what it complained about so far.
    pub(crate) async fn forget(&self) {
        self.complaints().await;
    }

    /// Fails where the browser had something to complain about.
    pub(crate) async fn calm(&self, what: &str) {
        let complaints = self.complaints().await;
        assert!(complaints.is_empty(), "{what}: {complaints:#?}");
    }

    /// The serious and critical violations of WCAG 2.2 A and AA that axe finds on the page as it is now. Left out is its
    /// rule about labels that differ from what is seen: it takes initials and key caps, which are hidden from readers, for
    /// parts of a label.
    pub(crate) async fn violations(&self, axe: &str) -> Vec<String> {
        self.still().await;
        if self.js("typeof window.axe === 'undefined'").await == json!(true) {
            self.driver.execute(axe.to_owned(), Vec::new()).await.unwrap();
        }
        let run = "const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']; \
            axe.run(document, {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations'], rules: {'label-content-name-mismatch': {enabled: false}}}) \
              .then((r) => done(r.violations.filter((v) => ['serious', 'critical'].includes(v.impact)) \
                .map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 200) + ' ' + n.any.map((a) => a.message).join('; ')).join(' | ')}`)), \
              (error) => done(['axe failed: ' + error]));";
        let found = self.promised(run).await;
        serde_json::from_value(found).unwrap()
    }
}

async fn start(port: u16, profile: &Path) -> WebDriver {
    let mut caps = DesiredCapabilities::chrome();
    let profile = format!("--user-data-dir={}", profile.display());
    let args = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-extensions",
        "--no-first-run",
        "--no-default-browser-check",
        "--no-proxy-server",
        "--hide-scrollbars",
        "--lang=en-US",
        &profile,
    ];
    for arg in args {
        caps.add_arg(arg).unwrap();
    }
    caps.set_browser_log_level(LoggingPrefsLogLevel::All).unwrap();
    let driver = WebDriver::new(format!("http://127.0.0.1:{port}"), caps).await;
    let driver = driver.expect("chromedriver is there, so a browser starts");
    driver.set_script_timeout(2 * PATIENCE).await.unwrap();
    driver
}

/// Where pictures go.
pub(crate) fn shots() -> PathBuf {
    sdk::target_dir().join("console-shots")
}
