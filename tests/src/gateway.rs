//! The `burncloud` binary as a child process: started on a free port, its whole trace log kept, its receipts and
//! gauges read as an operator reads them.

use crate::config::Config;
use crate::raw::{Request, Response};
use crate::{PATIENCE, eventually};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Output, Stdio};
use std::sync::OnceLock;
use std::time::Duration;
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// The gauges that must be zero when nothing is under way.
pub const GAUGES: [&str; 4] = [
    "burncloud_requests_in_flight",
    "burncloud_body_bytes_in_flight",
    "burncloud_reserved_nanodollars",
    "burncloud_concurrency_permits",
];

/// The binary under test: `BURNCLOUD_BIN`, or built now from this checkout.
///
/// # Panics
///
/// When it does not build.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        if let Some(given) = std::env::var_os("BURNCLOUD_BIN") {
            return PathBuf::from(given);
        }
        let exe = std::env::current_exe().expect("a running test has a path");
        let profile = exe.ancestors().nth(2).expect("tests lie in <target>/<profile>/deps").to_owned();
        let mut cargo =
            std::process::Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        // The same selection as `cargo test --workspace`, so that the same features apply and nothing is built twice.
        cargo.args(["build", "--workspace", "--bin", "burncloud"]).current_dir(crate::root());
        cargo.env("CARGO_TARGET_DIR", profile.parent().expect("a profile lies in the target folder"));
        // What cargo tells a running test about its own package: a build script that watches one of these (ring's
        // does) would run again, and all that depends on it with it, in this build and again in the next.
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
                cargo.env_remove(&*name);
            }
        }
        if profile.ends_with("release") {
            cargo.arg("--release");
        }
        let output = cargo.output().expect("cargo runs");
        assert!(
            output.status.success(),
            "burncloud does not build:\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
        profile.join("burncloud")
    })
}

/// A free loopback port, by asking for one and giving it back.
///
/// # Panics
///
/// When loopback cannot be bound.
#[must_use]
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    listener.local_addr().expect("a bound socket has an address").port()
}

/// Where a gateway lives other than usually.
#[derive(Clone, Copy, Debug)]
pub struct Home<'a> {
    /// The folder that its folder is made in.
    pub parent: &'a Path,
    /// What it logs, as in `RUST_LOG`; the log does not lie with its data.
    pub log: &'static str,
}

/// A running gateway. Killed when dropped; its folder is kept when the test failed.
#[derive(Debug)]
pub struct Gateway {
    dir: Option<TempDir>,
    /// The log's folder, if it is another one.
    log_dir: Option<TempDir>,
    level: &'static str,
    addr: SocketAddr,
    config: Config,
    child: Option<Child>,
    spoilt: bool,
}

impl Drop for Gateway {
    #[allow(clippy::print_stderr, reason = "a failed test shows what the gateway said")]
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Some(dir) = self.dir.take()
        {
            let folder = self.log_dir.as_ref().map_or_else(|| dir.path(), TempDir::path);
            let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
            let calm = |line: &&str| !line.contains("TRACE") && !line.contains("DEBUG");
            let lines: Vec<&str> = log.lines().filter(calm).collect();
            eprintln!("--- the gateway's log, its end; all in {} ---", dir.keep().display());
            for line in &lines[lines.len().saturating_sub(30)..] {
                eprintln!("{line}");
            }
            return;
        }
        self.end_now();
        self.assert_ledger();
    }
}

impl Gateway {
    /// Starts with `config` and waits until it is ready.
    ///
    /// # Panics
    ///
    /// When it is not ready within [`PATIENCE`], with what it said.
    pub async fn start(config: Config) -> Self {
        let dir = tempfile::Builder::new().prefix("burncloud-e2e-").tempdir().expect("a temporary folder");
        Self::start_in(dir, None, "trace,h2=trace,hyper=trace,hyper_util=trace,sqlx=trace", config).await
    }

    /// [`start`](Gateway::start) in another place, and with less to say.
    ///
    /// # Panics
    ///
    /// As [`start`](Gateway::start).
    pub async fn start_at(config: Config, home: Home<'_>) -> Self {
        let dir = tempfile::Builder::new()
            .prefix("burncloud-e2e-")
            .tempdir_in(home.parent)
            .expect("a temporary folder");
        let log =
            tempfile::Builder::new().prefix("burncloud-e2e-log-").tempdir().expect("a temporary folder");
        Self::start_in(dir, Some(log), home.log, config).await
    }

    async fn start_in(dir: TempDir, log_dir: Option<TempDir>, level: &'static str, config: Config) -> Self {
        let addr = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let mut gateway = Self { dir: Some(dir), log_dir, level, addr, config, child: None, spoilt: false };
        gateway.write_config();
        gateway.restart().await;
        gateway
    }

    fn log_path(&self) -> PathBuf {
        self.log_dir.as_ref().map_or_else(|| self.dir(), TempDir::path).join("log")
    }

    fn dir(&self) -> &Path {
        self.dir.as_ref().expect("kept until dropped").path()
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// `http://127.0.0.1:port`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Its configuration file.
    #[must_use]
    pub fn config_path(&self) -> PathBuf {
        self.dir().join("burncloud.toml")
    }

    /// Where its data and configuration lie.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.dir()
    }

    /// Replaces the configuration file, as an editor does: a new file moved over the old one.
    pub fn rewrite(&mut self, config: Config) {
        self.config = config;
        self.write_config();
    }

    fn write_config(&self) {
        let dir = self.dir().to_str().expect("temporary folders have plain names");
        let next = self.dir().join("burncloud.toml.next");
        std::fs::write(&next, self.config.render(&self.addr.to_string(), dir))
            .expect("the folder is writable");
        std::fs::rename(next, self.config_path()).expect("the folder is writable");
    }

    /// The command line tool with this gateway's configuration and environment.
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command.args(args).arg("--config").arg(self.config_path()).current_dir(self.dir()).kill_on_drop(true);
        command.envs(self.config.environment()).env_remove("RUST_LOG").stdin(Stdio::null());
        command
    }

    /// Starts the process (again), on the same data, and waits until it is ready.
    ///
    /// # Panics
    ///
    /// When it exits or is not ready within [`PATIENCE`].
    pub async fn restart(&mut self) {
        let open = || {
            let path = self.log_path();
            std::fs::File::options().create(true).append(true).open(path).expect("the folder is writable")
        };
        let mut command = self.command(&["serve"]);
        command.env("RUST_LOG", self.level).stdout(open()).stderr(open());
        let mut child = command.spawn().expect("the binary starts");
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            if let Some(status) = child.try_wait().expect("a child can be waited for") {
                panic!("the gateway ended with {status}:\n{}", self.log());
            }
            if Request::get("/readyz").try_send(self.addr).await.is_ok_and(|answer| answer.status == 200) {
                break;
            }
            assert!(tokio::time::Instant::now() < deadline, "the gateway is not ready:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.child = Some(child);
    }

    /// Everything it wrote so far, over all its lives.
    #[must_use]
    pub fn log(&self) -> String {
        let bytes = std::fs::read(self.log_path()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Its process id.
    ///
    /// # Panics
    ///
    /// When it is stopped.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.as_ref().and_then(Child::id).expect("the gateway runs")
    }

    /// The most memory it has held so far, in bytes; `None` where the system does not say.
    #[must_use]
    pub fn peak_memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib * 1024)
    }

    /// Sends a signal.
    ///
    /// # Panics
    ///
    /// When the process is gone.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.pid().try_into().expect("process ids are small")).expect("and positive");
        kill_process(pid, signal).expect("the gateway runs");
    }

    /// `kill -9`, at once.
    pub async fn kill(&mut self) {
        self.signal(Signal::KILL);
        self.ended().await;
    }

    /// SIGTERM, and waits for the end.
    pub async fn stop(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.ended().await
    }

    /// Waits for the process to end.
    ///
    /// # Panics
    ///
    /// When it does not within [`PATIENCE`].
    pub async fn ended(&mut self) -> ExitStatus {
        let mut child = self.child.take().expect("the gateway runs");
        let status = tokio::time::timeout(PATIENCE, child.wait()).await;
        status.expect("the gateway does not end").expect("a child can be waited for")
    }

    /// `kill -9` without a runtime to wait in.
    fn end_now(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        let _ = child.start_kill();
        let end = std::time::Instant::now() + PATIENCE;
        while matches!(child.try_wait(), Ok(None)) && std::time::Instant::now() < end {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The test changed the books by hand: they are not verified at its end.
    pub fn books_are_spoilt(&mut self) {
        self.spoilt = true;
    }

    /// Whatever a test did, and however its server ended: the books agree with the receipts.
    fn assert_ledger(&self) {
        let Some(dir) = self.dir.as_ref().filter(|_| !self.spoilt) else { return };
        let mut verify = std::process::Command::new(binary());
        verify.args(["ledger", "verify", "--config"]).arg(self.config_path()).current_dir(dir.path());
        verify.envs(self.config.environment()).env_remove("RUST_LOG").stdin(Stdio::null());
        let Ok(output) = verify.output() else { return };
        let said = String::from_utf8_lossy(&output.stderr);
        // Where a test left no configuration or no database behind, there is nothing to verify.
        assert!(!said.contains("the ledger is not in order"), "{said}");
    }

    /// Sends a request as `key`, bearer.
    pub async fn ask(&self, key: &str, request: Request) -> Response {
        request.bearer(&crate::config::secret_of(key)).send(self.addr).await
    }

    /// Runs the command line tool: its whole output.
    ///
    /// # Panics
    ///
    /// When it does not start or takes longer than [`PATIENCE`].
    pub async fn run(&self, args: &[&str]) -> Output {
        let output = tokio::time::timeout(PATIENCE, self.command(args).output()).await;
        output.expect("the tool ends").expect("the binary starts")
    }

    /// Runs the command line tool with `--format json`.
    ///
    /// # Panics
    ///
    /// When it fails, or prints anything but JSON.
    pub async fn cli(&self, args: &[&str]) -> Value {
        let output = self.run(&[args, &["--format", "json"]].concat()).await;
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "burncloud {args:?} failed\n{out}\n{err}");
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("burncloud {args:?}: {error}\n{out}\n{err}"))
    }

    /// Every receipt so far, oldest first.
    ///
    /// # Panics
    ///
    /// When the tool prints no list.
    pub async fn receipts(&self) -> Vec<Value> {
        let list = self.cli(&["receipts", "list", "--limit", "1000000"]).await;
        let mut receipts = list.as_array().unwrap_or_else(|| panic!("not a list: {list}")).clone();
        receipts.sort_by_key(|one| one["at"].as_u64());
        receipts
    }

    /// The receipts once there are `count`.
    ///
    /// # Panics
    ///
    /// When there are not within [`PATIENCE`], or there are more.
    pub async fn receipts_when(&self, count: usize) -> Vec<Value> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let receipts = self.receipts().await;
            if receipts.len() >= count {
                assert_eq!(receipts.len(), count, "too many receipts: {receipts:#?}");
                return receipts;
            }
            assert!(
                tokio::time::Instant::now() < deadline,
                "{} of {count} receipts: {receipts:#?}",
                receipts.len()
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The receipt of the request that got this trace id.
    ///
    /// # Panics
    ///
    /// When there is none within [`PATIENCE`], or more than one.
    pub async fn receipt_of(&self, trace_id: &str) -> Value {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let mut receipts = self.receipts().await;
            receipts.retain(|one| one["trace_id"] == trace_id);
            if let [receipt] = &receipts[..] {
                return receipt.clone();
            }
            assert!(receipts.is_empty(), "more than one receipt of {trace_id}: {receipts:#?}");
            assert!(tokio::time::Instant::now() < deadline, "no receipt of {trace_id}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The text of `/metrics`.
    pub async fn metrics(&self) -> String {
        Request::get("/metrics").send(self.addr).await.text()
    }

    /// The sum of a metric over its labels; `None` when it is not exposed.
    pub async fn metric(&self, name: &str) -> Option<f64> {
        let text = self.metrics().await;
        let values: Vec<f64> = text
            .lines()
            .filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '{'])))
            .filter_map(|line| line.rsplit(' ').next()?.parse().ok())
            .collect();
        (!values.is_empty()).then(|| values.iter().sum())
    }

    /// Waits until every gauge of [`GAUGES`] is back to zero: no task, permit or reservation leaked.
    ///
    /// # Panics
    ///
    /// When one is missing, or not zero within [`PATIENCE`].
    pub async fn idle(&self) {
        for gauge in GAUGES {
            eventually(&format!("{gauge} is zero"), || async {
                self.metric(gauge).await.unwrap_or_else(|| panic!("{gauge} is not exposed")) == 0.0
            })
            .await;
        }
    }
}
