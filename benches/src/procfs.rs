//! What Linux says about a process: CPU time and memory.

use std::{collections::BTreeMap, fs, time::Duration};

use crate::Error;

/// CPU time that a process had used at one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct CpuTime {
    /// Of the whole process, ended threads too, to one clock tick (10 ms mostly).
    ticked: Duration,
    tick: Duration,
    /// Of each living thread, to the nanosecond; empty where the kernel keeps no such statistics.
    threads: BTreeMap<u32, Duration>,
}

impl CpuTime {
    /// Reads the CPU time of process `pid`.
    pub(crate) fn read(pid: u32) -> Result<Self, Error> {
        let tick = clock_tick();
        let ticks =
            stat_ticks(&read(pid, "stat")?).ok_or("cannot read utime and stime from /proc/PID/stat")?;
        let mut threads = BTreeMap::new();
        for entry in fs::read_dir(format!("/proc/{pid}/task"))? {
            let path = entry?.path();
            let tid = path.file_name().and_then(|n| n.to_str()).and_then(|n| n.parse().ok());
            // A thread may end between the listing and the reading.
            let time = fs::read_to_string(path.join("schedstat")).ok().and_then(|s| schedstat(&s));
            if let (Some(tid), Some(time)) = (tid, time) {
                threads.insert(tid, time);
            }
        }
        Ok(Self { ticked: tick.saturating_mul(ticks), tick, threads })
    }

    /// CPU time used since `earlier`: the threads' own sums, unless ended threads took their share with them.
    pub(crate) fn since(&self, earlier: &Self) -> Duration {
        let ticked = self.ticked.saturating_sub(earlier.ticked);
        let exact: Duration = self
            .threads
            .iter()
            .map(|(tid, time)| time.saturating_sub(earlier.threads.get(tid).copied().unwrap_or_default()))
            .sum();
        if ticked.abs_diff(exact) <= self.tick * 3 { exact } else { ticked.max(exact) }
    }
}

/// Memory of a process, in KiB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Memory {
    /// Resident now (`VmRSS`).
    pub(crate) resident: u64,
    /// The most that was ever resident (`VmHWM`).
    pub(crate) peak: u64,
}

impl Memory {
    /// Reads the memory of process `pid`.
    pub(crate) fn read(pid: u32) -> Result<Self, Error> {
        Ok(Self::parse(&read(pid, "status")?).ok_or("cannot read VmRSS and VmHWM from /proc/PID/status")?)
    }

    fn parse(status: &str) -> Option<Self> {
        let field = |name: &str| {
            let line = status.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(':'))?;
            line.trim().strip_suffix("kB")?.trim_end().parse().ok()
        };
        Some(Self { resident: field("VmRSS")?, peak: field("VmHWM")? })
    }
}

fn read(pid: u32, file: &str) -> Result<String, Error> {
    let path = format!("/proc/{pid}/{file}");
    Ok(fs::read_to_string(&path).map_err(|e| format!("cannot read {path}: {e} (the bench needs Linux)"))?)
}

/// utime + stime, fields 14 and 15. The second field is a name in brackets that may hold spaces and brackets.
fn stat_ticks(stat: &str) -> Option<u32> {
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let user: u32 = fields.next()?.parse().ok()?;
    let system: u32 = fields.next()?.parse().ok()?;
    user.checked_add(system)
}

/// The first field: nanoseconds on a CPU.
fn schedstat(line: &str) -> Option<Duration> {
    line.split_ascii_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

#[cfg(target_os = "linux")]
fn clock_tick() -> Duration {
    Duration::from_secs(1) / u32::try_from(rustix::param::clock_ticks_per_second()).unwrap_or(100).max(1)
}

#[cfg(not(target_os = "linux"))]
fn clock_tick() -> Duration {
    Duration::from_millis(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_process_may_hold_brackets_and_spaces() {
        let stat = "42 (a) b (c) S 1 42 42 0 -1 4194560 100 0 0 0 250 31 7 8 20 0 3 0 5 1000 200";
        assert_eq!(stat_ticks(stat), Some(281));
        assert_eq!(stat_ticks("42 (short) S 1 2"), None);
    }

    #[test]
    fn memory_is_read_in_kibibytes() {
        let status = "Name:\tx\nVmPeak:\t  999 kB\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\nThreads:\t1\n";
        assert_eq!(Memory::parse(status), Some(Memory { resident: 1024, peak: 2048 }));
        assert_eq!(Memory::parse("Name:\tkthread\n"), None);
    }

    #[test]
    fn nanoseconds_are_the_first_field() {
        assert_eq!(schedstat("1500 20 3\n"), Some(Duration::from_nanos(1500)));
        assert_eq!(schedstat("\n"), None);
    }

    fn cpu(ticked_ms: u64, threads: &[(u32, u64)]) -> CpuTime {
        CpuTime {
            ticked: Duration::from_millis(ticked_ms),
            tick: Duration::from_millis(10),
            threads: threads.iter().map(|(tid, us)| (*tid, Duration::from_micros(*us))).collect(),
        }
    }

    #[test]
    fn living_threads_are_exact_and_new_ones_count_from_nothing() {
        let (before, after) = (cpu(100, &[(1, 100_000)]), cpu(200, &[(1, 150_000), (2, 45_678)]));
        assert_eq!(after.since(&before), Duration::from_micros(95_678));
    }

    #[test]
    fn an_ended_thread_is_counted_by_the_clock_tick() {
        let (before, after) = (cpu(100, &[(1, 60_000), (2, 40_000)]), cpu(600, &[(1, 160_000)]));
        assert_eq!(after.since(&before), Duration::from_millis(500));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_can_be_read() {
        let pid = std::process::id();
        assert!(Memory::read(pid).unwrap().resident > 0);
        let before = CpuTime::read(pid).unwrap();
        assert!(CpuTime::read(pid).unwrap().since(&before) < Duration::from_secs(60));
    }
}
