//! How much memory this process may still take. Linux grants more memory than there is, and kills a process that uses
//! it: what cannot fit must be refused before it is allocated.
//!
//! Read from the kernel's own files, as libraries that read them look at the root control group alone, and batch systems
//! and systemd limit groups below it. Other systems are not asked: they refuse an allocation instead.

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// More memory is needed than is available.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotEnoughMemory {
    /// Bytes needed.
    pub needed: u64,
    /// Bytes that this process may still take.
    pub available: u64,
}

impl fmt::Display for NotEnoughMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { needed, available } = self;
        write!(
            f,
            "{} MiB of memory are needed, but only {} MiB are available",
            needed.div_ceil(1 << 20),
            available >> 20
        )
    }
}

impl std::error::Error for NotEnoughMemory {}

/// Whether this number of bytes can be allocated, as far as the system reports it.
///
/// # Errors
/// When there are fewer.
pub fn check(needed: u64) -> Result<(), NotEnoughMemory> {
    match available() {
        Some(available) if available < needed => Err(NotEnoughMemory { needed, available }),
        _ => Ok(()),
    }
}

/// Bytes that this process may still take: what the machine has left without swapping, and less where a control group
/// or the limit of the address space (`ulimit -v`) leaves less. `None` if the system does not report it.
#[must_use]
pub fn available() -> Option<u64> {
    available_in(Path::new("/"))
}

fn available_in(root: &Path) -> Option<u64> {
    [of_machine(root), of_address_space(root), of_groups(root)].into_iter().flatten().min()
}

fn of_machine(root: &Path) -> Option<u64> {
    kibibytes(&read(&root.join("proc/meminfo"))?, "MemAvailable:")
}

fn of_address_space(root: &Path) -> Option<u64> {
    let limits = read(&root.join("proc/self/limits"))?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max address space"))?;
    // Not a number where there is no limit.
    let limit: u64 = line.split_whitespace().next()?.parse().ok()?;
    let taken = kibibytes(&read(&root.join("proc/self/status"))?, "VmSize:")?;
    Some(limit.saturating_sub(taken))
}

/// The least that is left in any of the control groups that the process is in.
fn of_groups(root: &Path) -> Option<u64> {
    let groups = read(&root.join("proc/self/cgroup"))?;
    // hierarchy:controllers:path, of which hierarchy 0 is that of version 2.
    let left = groups.lines().filter_map(|line| {
        let mut fields = line.splitn(3, ':');
        let (hierarchy, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
        let version = if hierarchy == "0" {
            &VERSION_2
        } else if controllers.split(',').any(|controller| controller == "memory") {
            &VERSION_1
        } else {
            return None;
        };
        version.left(root, Path::new(path))
    });
    left.min()
}

/// What the files of a version of control groups are called.
struct Version {
    folder: &'static str,
    limit: &'static str,
    usage: &'static str,
    /// In the group's statistics: bytes of files, which the kernel drops before it refuses.
    droppable: [&'static str; 2],
}

const VERSION_1: Version = Version {
    folder: "sys/fs/cgroup/memory",
    limit: "memory.limit_in_bytes",
    usage: "memory.usage_in_bytes",
    droppable: ["total_inactive_file", "total_active_file"],
};
const VERSION_2: Version = Version {
    folder: "sys/fs/cgroup",
    limit: "memory.max",
    usage: "memory.current",
    droppable: ["inactive_file", "active_file"],
};

impl Version {
    /// The least that is left in a group or in one that it is part of. A container may see its own group as the root, and
    /// not the path to it.
    fn left(&self, root: &Path, path: &Path) -> Option<u64> {
        let names: Vec<&OsStr> = path
            .components()
            .filter_map(|part| if let Component::Normal(name) = part { Some(name) } else { None })
            .collect();
        let folder = |depth| -> PathBuf {
            let mut folder = root.join(self.folder);
            folder.extend(&names[..depth]);
            folder
        };
        (0..=names.len()).filter_map(|depth| self.left_in(&folder(depth))).min()
    }

    fn left_in(&self, group: &Path) -> Option<u64> {
        let number = |name| read(&group.join(name))?.trim().parse::<u64>().ok();
        // `max` where there is no limit.
        let (limit, usage) = (number(self.limit)?, number(self.usage)?);
        let statistics = read(&group.join("memory.stat")).unwrap_or_default();
        let droppable = statistics.lines().filter_map(|line| {
            let (name, bytes) = line.split_once(' ')?;
            if self.droppable.contains(&name) { bytes.trim().parse::<u64>().ok() } else { None }
        });
        let droppable = droppable.fold(0, u64::saturating_add);
        Some(limit.saturating_sub(usage.saturating_sub(droppable)))
    }
}

/// The number of a line such as `MemAvailable:  123 kB`, in bytes.
fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(name))?;
    value.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1 << 10)
}

fn read(file: &Path) -> Option<String> {
    fs::read_to_string(file).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// A folder with files as the kernel shows them.
    fn system(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let file = root.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        root
    }

    fn left(files: &[(&str, &str)]) -> Option<u64> {
        available_in(system(files).path())
    }

    const MACHINE: (&str, &str) =
        ("proc/meminfo", "MemTotal:       24000 kB\nMemFree:         1000 kB\nMemAvailable:    8000 kB\n");

    #[test]
    fn the_least_of_all_limits_counts() {
        assert_eq!(left(&[]), None);
        assert_eq!(left(&[MACHINE]), Some(8000 << 10));
        let space = |limit: &str| {
            format!("Limit  Soft Limit  Hard Limit  Units\nMax address space  {limit}  x  bytes\n")
        };
        let taken = ("proc/self/status", "Name:\tprogram\nVmSize:\t    1000 kB\n");
        let limited = space("2048000");
        assert_eq!(left(&[MACHINE, ("proc/self/limits", &limited), taken]), Some(1000 << 10));
        assert_eq!(left(&[MACHINE, ("proc/self/limits", &space("unlimited")), taken]), Some(8000 << 10));
        let tight = space("1000");
        assert_eq!(left(&[MACHINE, ("proc/self/limits", &tight), taken]), Some(0));
    }

    #[test]
    fn a_control_group_s_limit_counts_wherever_it_is_set() {
        let group = ("proc/self/cgroup", "0::/a/b\n");
        let set = |folder: &'static str, limit: &'static str| {
            [
                (format!("sys/fs/cgroup{folder}/memory.max"), limit),
                (format!("sys/fs/cgroup{folder}/memory.current"), "3000\n"),
                (
                    format!("sys/fs/cgroup{folder}/memory.stat"),
                    "anon 900\ninactive_file 2000\nactive_file 100\n",
                ),
            ]
        };
        for folder in ["/a/b", "/a", ""] {
            let files = set(folder, "5000\n");
            let mut all = vec![MACHINE, group];
            all.extend(files.iter().map(|(name, text)| (name.as_str(), *text)));
            assert_eq!(left(&all), Some(4100), "{folder}");
        }
        let files = set("/a/b", "max\n");
        let mut all = vec![MACHINE, group];
        all.extend(files.iter().map(|(name, text)| (name.as_str(), *text)));
        assert_eq!(left(&all), Some(8000 << 10));
        let first = [
            MACHINE,
            ("proc/self/cgroup", "9:cpu,cpuacct:/c\n4:hugetlb,memory:/job/../1\n0::/\n"),
            ("sys/fs/cgroup/memory/job/1/memory.limit_in_bytes", "9000\n"),
            ("sys/fs/cgroup/memory/job/1/memory.usage_in_bytes", "2000\n"),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"),
            ("sys/fs/cgroup/memory/memory.usage_in_bytes", "2000\n"),
        ];
        assert_eq!(left(&first), Some(7000));
    }

    #[test]
    fn a_refusal_gives_both_sizes() {
        let error = NotEnoughMemory { needed: (5 << 20) + 1, available: (3 << 20) - 1 };
        assert_eq!(error.to_string(), "6 MiB of memory are needed, but only 2 MiB are available");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_system_says_it() {
        let available = available().unwrap();
        assert!(available > 1 << 20, "{available}");
        check(1 << 20).unwrap();
        assert!(check(u64::MAX).is_err());
    }
}
