//! What goes wrong beside the process being killed.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A small file system in memory.
pub(crate) struct Disk {
    folder: tempfile::TempDir,
    mounted: bool,
}

impl Disk {
    pub(crate) fn new() -> Disk {
        let folder = tempfile::Builder::new().prefix("burncloud-rounds-").tempdir().unwrap();
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=96m", "tmpfs"])
            .arg(folder.path())
            .stderr(Stdio::null())
            .status();
        let mounted = mount.is_ok_and(|status| status.success());
        if !mounted {
            burncloud_tests::skip("the disk that fills up", "mounting a file system takes root");
        }
        Disk { folder, mounted }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.mounted {
            let _ = Command::new("umount").arg("--lazy").arg(self.folder.path()).status();
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Disturbance {
    Calm,
    Locked,
    Refusing,
    DiskFull,
}

/// Another process holds the database's write lock until its input closes.
const LOCK: &str = "
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)
db.execute('BEGIN IMMEDIATE')
print('begun', flush=True)
sys.stdin.read()
db.execute('ROLLBACK')
";

/// The database refuses every receipt until the input closes.
const REFUSE: &str = "
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)
db.execute('''CREATE TRIGGER refuse BEFORE INSERT ON receipts BEGIN SELECT RAISE(ABORT, 'refused'); END''')
print('begun', flush=True)
sys.stdin.read()
db.execute('DROP TRIGGER refuse')
";

impl Disturbance {
    pub(crate) fn of(round: usize, disk: &Disk) -> Disturbance {
        match round % 4 {
            0 => Disturbance::Calm,
            1 => Disturbance::Locked,
            2 => Disturbance::Refusing,
            _ if disk.mounted => Disturbance::DiskFull,
            _ => Disturbance::Calm,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Disturbance::Calm => "calm",
            Disturbance::Locked => "database locked",
            Disturbance::Refusing => "database refusing",
            Disturbance::DiskFull => "disk full",
        }
    }

    /// Begins; it lasts until it is ended.
    pub(crate) fn begin(self, data: &Path, disk: &Disk) -> Option<Disturbed> {
        let database = data.join("burncloud.db");
        match self {
            Disturbance::Calm => None,
            Disturbance::Locked => Some(Disturbed::Other(python(LOCK, &database))),
            Disturbance::Refusing => Some(Disturbed::Other(python(REFUSE, &database))),
            Disturbance::DiskFull => Some(Disturbed::Full(fill(disk))),
        }
    }
}

pub(crate) enum Disturbed {
    Other(Child),
    Full(PathBuf),
}

impl Disturbed {
    pub(crate) fn end(self) {
        match self {
            Disturbed::Other(mut child) => {
                drop(child.stdin.take());
                assert!(child.wait().unwrap().success(), "the disturbance ends in order");
            }
            Disturbed::Full(ballast) => fs::remove_file(ballast).unwrap(),
        }
    }
}

fn python(script: &str, database: &Path) -> Child {
    let mut command = Command::new("python3");
    command.args(["-c", script]).arg(database);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.as_mut().unwrap()), &mut line)
        .unwrap();
    assert_eq!(line, "begun\n", "the disturbance begins");
    child
}

/// Fills what is left of the file system.
fn fill(disk: &Disk) -> PathBuf {
    let ballast = disk.path().join("ballast");
    let mut file = fs::File::create(&ballast).unwrap();
    for size in [1 << 20, 1 << 12] {
        let block = vec![1; size];
        while file.write_all(&block).is_ok() {}
    }
    ballast
}
