//! The processes of a bench: started on a core, asked whether they answer, ended when dropped.

use std::{
    fs::{self, File},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{
    Error,
    cells::Cell,
    load::{self, Report},
    net, pin,
};

/// The key that callers present; the gateway is told of it, the floor and the upstream do not look.
const KEY: &str = "sk-burn-bench-6f1d2a9c4be8073561f0a2d4c8e97b35";
const READY_WITHIN: Duration = Duration::from_secs(30);
const LOG_TAIL: usize = 2000;

/// A server under test.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    address: SocketAddr,
    log: PathBuf,
}

impl Server {
    /// Starts this program's `part` ("floor" or "upstream") on `core`; what it says goes to a file in `dir`.
    pub(crate) fn part(part: &str, extra: &[String], dir: &Path, core: usize) -> Result<Self, Error> {
        let address = net::free_address()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(part).arg("--listen").arg(address.to_string()).args(extra);
        Self::start(command, address, dir.join(format!("{part}-{}.log", address.port())), core)
    }

    /// Starts the gateway `binary` before `upstream` on `core`, with its store and its log in `dir`.
    pub(crate) fn gateway(
        binary: &Path,
        upstream: SocketAddr,
        dir: &Path,
        core: usize,
    ) -> Result<Self, Error> {
        let address = net::free_address()?;
        let config = include_str!("../gateway.toml")
            .replace("LISTEN", &address.to_string())
            .replace("STORE", &dir.join("burncloud.db").to_string_lossy())
            .replace("UPSTREAM", &upstream.to_string());
        let file = dir.join("burncloud.toml");
        fs::write(&file, config)?;
        let mut command = Command::new(binary);
        command.arg("serve").arg("--config").arg(file).arg("--listen").arg(address.to_string());
        command.env("BENCH_PROVIDER_KEY", "sk-upstream-bench").current_dir(dir);
        Self::start(command, address, dir.join("burncloud.log"), core)
    }

    fn start(mut command: Command, address: SocketAddr, log: PathBuf, core: usize) -> Result<Self, Error> {
        let out = File::create(&log)?;
        command.stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out).env(load::KEY_VARIABLE, KEY);
        let name = command.get_program().to_string_lossy().into_owned();
        let child = pin::spawn_on(core, &mut command).map_err(|e| format!("cannot start {name}: {e}"))?;
        Ok(Self { child, address, log })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it answers `cell`'s request, and returns what the answer was. `messages`: in Anthropic's dialect.
    pub(crate) fn ready(&mut self, cell: &Cell, messages: bool, core: usize) -> Result<Report, Error> {
        let begun = Instant::now();
        loop {
            let one = Load {
                cell,
                messages,
                target: self.address,
                expect_bytes: None,
                seconds: 10.0,
                requests: Some(1),
            };
            let error = match one.start(core).and_then(LoadRun::finish) {
                Ok(report) => return Ok(report),
                Err(error) => error,
            };
            if let Some(status) = self.child.try_wait()? {
                return Err(self.explain(&format!("it ended with {status}")));
            }
            if begun.elapsed() > READY_WITHIN {
                return Err(self.explain(&error.to_string()));
            }
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// The failure `what` of this server, with the end of what it said.
    pub(crate) fn explain(&self, what: &str) -> Error {
        let log = fs::read(&self.log).unwrap_or_default();
        let tail = String::from_utf8_lossy(&log[log.len().saturating_sub(LOG_TAIL)..]).into_owned();
        let name = self.log.file_stem().unwrap_or_default().to_string_lossy();
        format!("{name}: {what}\nits last words:\n{tail}").into()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One run of the load in a process of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load<'a> {
    /// What to send.
    pub(crate) cell: &'a Cell,
    /// Whether in Anthropic's dialect.
    pub(crate) messages: bool,
    /// To whom.
    pub(crate) target: SocketAddr,
    /// Length that every answer must have.
    pub(crate) expect_bytes: Option<u64>,
    /// For how long.
    pub(crate) seconds: f64,
    /// After how many requests to stop before that, on one connection.
    pub(crate) requests: Option<u64>,
}

/// A load that runs.
#[derive(Debug)]
pub(crate) struct LoadRun(Child);

impl Load<'_> {
    /// Starts the load on `core`.
    pub(crate) fn start(&self, core: usize) -> Result<LoadRun, Error> {
        let mut command = Command::new(std::env::current_exe()?);
        let connections = if self.requests.is_some() { 1 } else { self.cell.connections };
        command
            .args(["load", "--json", "--model", self.cell.model()])
            .args(["--target", &self.target.to_string()])
            .args(["--connections", &connections.to_string()])
            .args(["--seconds", &self.seconds.to_string()])
            .args(["--body-bytes", &self.cell.body_bytes.to_string()]);
        if self.cell.stream {
            command.arg("--stream");
        }
        if self.messages {
            command.arg("--messages");
        }
        for (name, value) in [("--expect-bytes", self.expect_bytes), ("--requests", self.requests)] {
            if let Some(value) = value {
                command.args([name, &value.to_string()]);
            }
        }
        command.env(load::KEY_VARIABLE, KEY);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Ok(LoadRun(pin::spawn_on(core, &mut command)?))
    }
}

impl LoadRun {
    /// Waits for its end; one wrong answer is a failure.
    pub(crate) fn finish(self) -> Result<Report, Error> {
        let output = self.0.wait_with_output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned().into());
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }
}
