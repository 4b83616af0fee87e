//! Whether this process is one of several that a launcher has started, and which.

use std::env;
use std::fs;
use std::num::NonZero;

use adadagrad_core::owned::threads::available_threads;

/// What a launcher says about this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Launch {
    /// This process among all.
    pub rank: usize,
    /// Number of processes.
    pub size: usize,
    /// Number of those on this machine.
    pub local_size: usize,
    /// This process among those on this machine.
    pub local_rank: usize,
}

/// What launchers call these numbers: Open MPI, those that follow MPICH, MVAPICH, and Slurm's `srun` without any of them.
/// (`SLURM_NTASKS` is set in a batch script too, which runs once.)
const VARIABLES: [[&str; 4]; 4] = [
    [
        "OMPI_COMM_WORLD_RANK",
        "OMPI_COMM_WORLD_SIZE",
        "OMPI_COMM_WORLD_LOCAL_SIZE",
        "OMPI_COMM_WORLD_LOCAL_RANK",
    ],
    ["PMI_RANK", "PMI_SIZE", "MPI_LOCALNRANKS", "MPI_LOCALRANKID"],
    ["MV2_COMM_WORLD_RANK", "MV2_COMM_WORLD_SIZE", "MV2_COMM_WORLD_LOCAL_SIZE", "MV2_COMM_WORLD_LOCAL_RANK"],
    ["SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_STEP_TASKS_PER_NODE", "SLURM_LOCALID"],
];

/// What a launcher such as `mpirun` says; `None` where the program was started by itself.
#[must_use]
pub fn launched() -> Option<Launch> {
    launched_in(|name| env::var(name).ok())
}

fn launched_in(variable: impl Fn(&str) -> Option<String>) -> Option<Launch> {
    let number = |name| variable(name)?.parse::<usize>().ok();
    // Slurm says it for each machine, such as `4(x2),3`: the first are the largest.
    let first = |name| {
        let text = variable(name)?;
        text.split(|c: char| !c.is_ascii_digit()).next()?.parse::<usize>().ok()
    };
    VARIABLES.iter().find_map(|&[rank, size, local_size, local_rank]| {
        let (rank, size) = (number(rank)?, number(size)?);
        let local_size = first(local_size).unwrap_or(1).clamp(1, size);
        // Launchers fill one machine after the other unless they are told otherwise.
        let local_rank = number(local_rank).unwrap_or(rank % local_size);
        (rank < size).then_some(Launch { rank, size, local_size, local_rank })
    })
}

impl Launch {
    /// Threads of this process: the machine's, shared among its processes, and no more than this one may run on.
    #[must_use]
    pub fn threads(&self) -> NonZero<usize> {
        let allowed = available_threads();
        // A launcher may tie each process to some processors of its own.
        let of_machine = fs::read_to_string("/sys/devices/system/cpu/online")
            .ok()
            .and_then(|list| processors(list.trim()))
            .unwrap_or(allowed.get());
        NonZero::new(of_machine / self.local_size).unwrap_or(NonZero::<usize>::MIN).min(allowed)
    }
}

/// How many are in a list such as `0-3,8`.
fn processors(list: &str) -> Option<usize> {
    list.split(',').try_fold(0, |count, range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
        Some(count + (last + 1).checked_sub(first)?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn launchers_are_understood() {
        let with = |values: &[(&str, &str)]| {
            let values: Vec<_> =
                values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            launched_in(move |name| {
                values.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
            })
        };
        assert_eq!(with(&[]), None);
        let open_mpi = [
            ("OMPI_COMM_WORLD_RANK", "2"),
            ("OMPI_COMM_WORLD_SIZE", "4"),
            ("OMPI_COMM_WORLD_LOCAL_SIZE", "2"),
            ("OMPI_COMM_WORLD_LOCAL_RANK", "1"),
        ];
        assert_eq!(with(&open_mpi), Some(Launch { rank: 2, size: 4, local_size: 2, local_rank: 1 }));
        let mpich = [("PMI_RANK", "0"), ("PMI_SIZE", "3")];
        assert_eq!(with(&mpich), Some(Launch { rank: 0, size: 3, local_size: 1, local_rank: 0 }));
        let mvapich = [("MV2_COMM_WORLD_RANK", "1"), ("MV2_COMM_WORLD_SIZE", "2")];
        assert_eq!(with(&mvapich), Some(Launch { rank: 1, size: 2, local_size: 1, local_rank: 0 }));
        let slurm =
            [("SLURM_PROCID", "6"), ("SLURM_STEP_NUM_TASKS", "11"), ("SLURM_STEP_TASKS_PER_NODE", "4(x2),3")];
        assert_eq!(with(&slurm), Some(Launch { rank: 6, size: 11, local_size: 4, local_rank: 2 }));
        // A batch script, and what Open MPI has started within it.
        assert_eq!(with(&[("SLURM_PROCID", "0"), ("SLURM_NTASKS", "4")]), None);
        let within = [&slurm[..], &open_mpi[..]].concat();
        assert_eq!(with(&within), Some(Launch { rank: 2, size: 4, local_size: 2, local_rank: 1 }));
        assert_eq!(with(&[("PMI_RANK", "3"), ("PMI_SIZE", "3")]), None);
        assert_eq!(with(&[("PMI_RANK", "x"), ("PMI_SIZE", "3")]), None);
    }

    #[test]
    fn lists_of_processors_are_counted() {
        for (list, count) in
            [("0", Some(1)), ("0-3", Some(4)), ("0-3,8,10-11", Some(7)), ("", None), ("3-1", None)]
        {
            assert_eq!(processors(list), count, "{list}");
        }
    }
}
