//! Pins a process to one core before it runs, without unsafe code: a child inherits its parent's affinity.

use std::process::{Child, Command};

use crate::Error;

/// Starts `command` on `core`.
#[cfg(target_os = "linux")]
pub(crate) fn spawn_on(core: usize, command: &mut Command) -> Result<Child, Error> {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    let before = sched_getaffinity(None)?;
    if core >= CpuSet::MAX_CPU || !before.is_set(core) {
        return Err(format!(
            "core {core} is not ours to use: choose others with --proxy-core and --load-core"
        )
        .into());
    }
    let mut one = CpuSet::new();
    one.set(core);
    sched_setaffinity(None, &one)?;
    let child = command.spawn();
    sched_setaffinity(None, &before)?;
    Ok(child?)
}

/// Starts `command` wherever the system puts it: only Linux pins.
#[cfg(not(target_os = "linux"))]
pub(crate) fn spawn_on(_core: usize, command: &mut Command) -> Result<Child, Error> {
    Ok(command.spawn()?)
}
