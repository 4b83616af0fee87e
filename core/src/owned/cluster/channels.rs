//! Ranks that are threads of one process.

use std::vec::Vec;

use crossbeam_channel::{Receiver, Sender, unbounded};

use super::collective::{Collective, CollectiveError};

/// One of several ranks that are threads of one process.
#[derive(Debug)]
pub struct Channels {
    rank: usize,
    /// To each rank.
    senders: Vec<Sender<Vec<u8>>>,
    /// From each rank.
    receivers: Vec<Receiver<Vec<u8>>>,
}

impl Channels {
    /// The ranks of a cluster of this size, each for a thread of its own.
    #[must_use]
    pub fn cluster(size: usize) -> Vec<Self> {
        let mut ranks: Vec<Self> =
            (0..size).map(|rank| Self { rank, senders: Vec::new(), receivers: Vec::new() }).collect();
        for to in 0..size {
            for from in 0..size {
                let (sender, receiver) = unbounded();
                ranks[from].senders.push(sender);
                ranks[to].receivers.push(receiver);
            }
        }
        ranks
    }
}

impl Collective for Channels {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.senders.len()
    }

    fn exchange(&mut self, messages: &[&[u8]], received: &mut [Vec<u8>]) -> Result<(), CollectiveError> {
        for (rank, (sender, message)) in self.senders.iter().zip(messages).enumerate() {
            sender.send(message.to_vec()).map_err(|_| CollectiveError::Lost { rank })?;
        }
        for (rank, (receiver, place)) in self.receivers.iter().zip(received).enumerate() {
            let message = receiver.recv().map_err(|_| CollectiveError::Lost { rank })?;
            let [expected, found] = [place.len(), message.len()];
            if expected != found {
                return Err(CollectiveError::Length { rank, expected, found });
            }
            *place = message;
        }
        Ok(())
    }
}
