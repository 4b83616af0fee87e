//! Before the first step: all ranks are well, and have the same before them.

use adadagrad_core::owned::cluster::Collective;
use sha2::{Digest, Sha256};

/// What all ranks must have in common, as digests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Common {
    digests: [[u8; DIGEST]; Common::NAMES.len()],
}

const DIGEST: usize = 32;
/// Of what is wrong with a rank.
const TEXT: usize = 1024;

impl Common {
    /// What they are digests of, in their order.
    const NAMES: [&'static str; 4] =
        ["a different program", "different settings", "a different data set", "different parameters"];

    /// From the bytes of the program's file, the settings, the data and the state that the run begins with.
    #[must_use]
    pub fn new(program: &[u8], settings: &[u8], data: &[u8], state: &[u8]) -> Self {
        Self { digests: [program, settings, data, state].map(|bytes| Sha256::digest(bytes).into()) }
    }
}

/// Tells the other ranks whether this one is ready, and waits for them: all call it. Returns what keeps the first rank that
/// is not ready, with its number, or what two ranks have not in common.
///
/// # Errors
/// Why the run cannot begin, the same on all ranks.
pub fn agree(collective: &mut dyn Collective, own: Result<Common, String>) -> Result<(), String> {
    let mut message = vec![0; 1 + TEXT + Common::NAMES.len() * DIGEST];
    match own {
        Ok(common) => message[1 + TEXT..].copy_from_slice(common.digests.as_flattened()),
        Err(error) => {
            message[0] = 1;
            message[1..=TEXT].iter_mut().zip(error.bytes()).for_each(|(place, byte)| *place = byte);
        }
    }
    let size = collective.size();
    let mut received = vec![vec![0; message.len()]; size];
    collective.exchange(&vec![&message[..]; size], &mut received).map_err(|error| error.to_string())?;
    if let Some(rank) = received.iter().position(|message| message[0] != 0) {
        let text = &received[rank][1..=TEXT];
        let end = text.iter().position(|&byte| byte == 0).unwrap_or(TEXT);
        let text = String::from_utf8_lossy(&text[..end]);
        // What is wrong with the first one is likely to be wrong with all.
        return Err(if rank == 0 { text.into_owned() } else { format!("rank {rank}: {text}") });
    }
    let digests = |rank: usize| received[rank][1 + TEXT..].chunks_exact(DIGEST);
    for rank in 1..size {
        let differs = digests(rank).zip(digests(0)).position(|(other, first)| other != first);
        if let Some(which) = differs {
            let name = Common::NAMES[which];
            return Err(format!("rank {rank} has {name} than rank 0: all ranks need the same"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::thread;

    use adadagrad_core::owned::cluster::Channels;

    use super::*;

    fn all(own: impl Fn(usize) -> Result<Common, String> + Sync) -> Vec<Result<(), String>> {
        thread::scope(|scope| {
            let threads: Vec<_> = (0..3)
                .zip(Channels::cluster(3))
                .map(|(rank, mut channels)| {
                    let own = &own;
                    scope.spawn(move || agree(&mut channels, own(rank)))
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        })
    }

    #[test]
    fn ranks_agree_or_all_say_the_same() {
        let common = |settings: &[u8]| Ok(Common::new(b"program", settings, b"data", b"state"));
        assert_eq!(all(|_| common(b"a")), [Ok(()), Ok(()), Ok(())]);
        let differ = all(|rank| common(if rank == 2 { b"b" } else { b"a" }));
        let expected = "rank 2 has different settings than rank 0: all ranks need the same";
        assert!(
            differ.iter().all(|result| result.as_ref().is_err_and(|error| error == expected)),
            "{differ:?}"
        );
        let failed = all(|rank| if rank == 1 { Err("no such file".to_owned()) } else { common(b"a") });
        assert!(failed.iter().all(|result| *result == Err("rank 1: no such file".to_owned())), "{failed:?}");
        let failed = all(|_| Err("no".to_owned()));
        assert!(failed.iter().all(|result| *result == Err("no".to_owned())), "{failed:?}");
    }
}
