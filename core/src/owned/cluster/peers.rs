//! What a rank does together with the others: every call is made by all of them, in the same order.

use std::boxed::Box;
use std::string::{String, ToString};
use std::vec::Vec;

use super::collective::Collective;
use super::share::{blocks_in, parts_of, slice_of};
use crate::owned::threads::ThreadsError;
use crate::owned::wire::{Plain, all, put, take};
use crate::owned::{BatchSums, OwnedStatistics, RunError};
use crate::real::square_norm;
use crate::statistics::{Needs, Parts, Totals};
use crate::training::Batch;

/// How the sums of a batch's parts become those of the batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reduction {
    /// In the order of the parts: the same bits for any number of ranks, and as on one process.
    #[default]
    Exact,
    /// Each rank adds its parts, and the ranks' sums are added: fewer bytes are sent, and the bits depend on the number of
    /// ranks. The ranks are the workers of the worker-gradient test.
    Fast,
}

/// What a rank has sent to others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes in all messages.
    pub bytes: u64,
    /// Number of messages.
    pub messages: u64,
}

/// The other ranks, and the memory for what is exchanged with them.
pub(in crate::owned) struct Peers {
    collective: Box<dyn Collective>,
    reduction: Reduction,
    /// The sums over this rank's slice of the parameters.
    fold: BatchSums<f32>,
    /// A part's, over the same slice.
    part: OwnedStatistics<f32>,
    needs: Needs,
    parameters: usize,
    /// The whole batch's sums, as far as they were gathered.
    pub(in crate::owned) batch: BatchSums<f32>,
    outgoing: Vec<Vec<u8>>,
    incoming: Vec<Vec<u8>>,
    traffic: Traffic,
}

/// Bytes before what a rank has to say: 0 where all is well with it, else one of these, and what is wrong.
const HEADER: usize = 128;
const FAILED: u8 = 1;
const CANCELLED: u8 = 2;

impl Peers {
    pub(in crate::owned) fn new(
        collective: Box<dyn Collective>,
        reduction: Reduction,
    ) -> Result<Self, RunError> {
        let needs = Needs::default();
        let size = collective.size();
        Ok(Self {
            collective,
            reduction,
            fold: BatchSums::new(0, &needs)?,
            part: OwnedStatistics::new(0, &needs)?,
            needs,
            parameters: 0,
            batch: BatchSums::new(0, &needs)?,
            outgoing: (0..size).map(|_| Vec::new()).collect(),
            incoming: (0..size).map(|_| Vec::new()).collect(),
            traffic: Traffic::default(),
        })
    }

    pub(in crate::owned) fn size(&self) -> usize {
        self.collective.size()
    }

    pub(in crate::owned) fn traffic(&self) -> Traffic {
        self.traffic
    }

    /// Whether a rank's parts are added before they are sent.
    pub(in crate::owned) fn is_fast(&self) -> bool {
        self.reduction == Reduction::Fast && self.size() > 1
    }

    /// Whether the worker-gradient test compares the sums of ranks.
    pub(in crate::owned) fn compares_ranks(&self) -> bool {
        self.is_fast() && self.needs.parts > 0
    }

    /// The parts that this rank sweeps.
    pub(in crate::owned) fn own_parts(&self, parts: u32) -> core::ops::Range<u32> {
        parts_of(parts, self.collective.rank(), self.size())
    }

    /// Ready for the first part of a batch, with the memory that `needs` takes.
    pub(in crate::owned) fn begin(&mut self, parameters: usize, needs: Needs) -> Result<(), RunError> {
        if needs != self.needs || parameters != self.parameters {
            let slice = slice_of(parameters, self.collective.rank(), self.size()).len();
            // The old ones are let go first.
            let none = Needs::default();
            (self.needs, self.parameters) = (none, 0);
            (self.fold, self.part, self.batch) =
                (BatchSums::new(0, &none)?, OwnedStatistics::new(0, &none)?, BatchSums::new(0, &none)?);
            (self.fold, self.part) = (BatchSums::new(slice, &needs)?, OwnedStatistics::new(slice, &needs)?);
            self.batch = BatchSums::of_total(if needs.moments() { parameters } else { 0 }, &needs)?;
            (self.needs, self.parameters) = (needs, parameters);
        }
        self.fold.begin(&mut self.part);
        Ok(())
    }

    /// Adds the sums of parts that the ranks have swept to those of the batch, and writes the ḡ of all.
    ///
    /// # Errors
    /// When a rank has failed or was cancelled, on all of them.
    pub(in crate::owned) fn combine(
        &mut self,
        batch: &mut Batch<f64>,
        own: Result<&[OwnedStatistics<f32>], ThreadsError>,
        mean: &mut [f32],
    ) -> Result<(), ThreadsError> {
        let counts = self.counts(batch.round().cut().parts());
        let (own, announced) = match own {
            Ok(own) => (own, self.prepare(&counts).map_err(ThreadsError::from)),
            Err(error) => (&[][..], Err(error)),
        };
        let announced = announced.map(|()| {
            let mut message = Vec::new();
            own.iter().for_each(|part| put(&mut message, &[part.totals]));
            message
        });
        self.gather(announced, |rank| counts[rank] * Totals::<f64>::BYTES)?;
        let totals: Vec<Vec<Totals<f64>>> =
            self.incoming.iter().map(|message| all(&message[HEADER..]).collect()).collect();
        self.exchange_slices(own, &counts)?;
        let folded = self.fold_slices(batch, own, &totals);
        self.gather_mean(folded, mean)?;
        if self.needs.moments() { self.gather_moments() } else { Ok(()) }
    }

    /// One value of each rank, in their order.
    pub(in crate::owned) fn gather_values<T: Plain>(
        &mut self,
        own: Result<Vec<T>, ThreadsError>,
        count: impl Fn(usize) -> usize,
    ) -> Result<Vec<T>, ThreadsError> {
        let message = own.map(|values| {
            let mut message = Vec::new();
            put(&mut message, &values);
            message
        });
        self.gather(message, |rank| count(rank) * T::BYTES)?;
        Ok(self.incoming.iter().flat_map(|message| all(&message[HEADER..])).collect())
    }

    /// One value of each of the parts that the ranks have swept, in the order of the parts.
    pub(in crate::owned) fn gather_by_part<T: Plain>(
        &mut self,
        parts: u32,
        own: Result<Vec<T>, ThreadsError>,
    ) -> Result<Vec<T>, ThreadsError> {
        let size = self.size();
        self.gather_values(own, |rank| parts_of(parts, rank, size).len())
    }

    /// How many sums each rank sends.
    fn counts(&self, parts: u32) -> Vec<usize> {
        let most = if self.is_fast() { 1 } else { usize::MAX };
        (0..self.size()).map(|rank| parts_of(parts, rank, self.size()).len().min(most)).collect()
    }

    /// Values that are exchanged of each parameter of each part.
    fn vectors(&self) -> usize {
        if self.needs.moments() { 2 } else { 1 }
    }

    fn slice(&self, rank: usize) -> core::ops::Range<usize> {
        slice_of(self.parameters, rank, self.size())
    }

    /// Takes the memory for what is to be exchanged, so that a rank that has too little can still say so.
    fn prepare(&mut self, counts: &[usize]) -> Result<(), RunError> {
        let rank = self.collective.rank();
        let per_parameter = self.vectors() * f32::BYTES;
        let [own, of_slice] = [counts[rank], self.slice(rank).len()];
        for (other, &count) in counts.iter().enumerate() {
            let slice = self.slice(other).len();
            // What a rank sends itself stays where it is.
            let [sent, received] = if other == rank { [0, 0] } else { [own * slice, count * of_slice] };
            // The slices of ḡ come into the same memory.
            let moments = if self.needs.moments() { 2 * f64::BYTES * slice } else { 0 };
            let gathered = HEADER + moments.max(slice * (f32::BYTES + 1));
            reserve(&mut self.outgoing[other], sent * per_parameter)?;
            reserve(&mut self.incoming[other], gathered.max(received * per_parameter))?;
        }
        Ok(())
    }

    /// Sends each other rank its slice of the own parts, and receives the own slice of all.
    fn exchange_slices(
        &mut self,
        own: &[OwnedStatistics<f32>],
        counts: &[usize],
    ) -> Result<(), ThreadsError> {
        let own_rank = self.collective.rank();
        let of_slice = self.slice(own_rank).len() * self.vectors() * f32::BYTES;
        for (rank, &count) in counts.iter().enumerate() {
            let slice = self.slice(rank);
            let message = &mut self.outgoing[rank];
            message.clear();
            let sent = if rank == own_rank { &[] } else { own };
            for part in sent {
                put(message, &part.gradient_sum[slice.clone()]);
                if !part.second_moment.is_empty() {
                    put(message, &part.second_moment[slice.clone()]);
                }
            }
            self.incoming[rank].resize(if rank == own_rank { 0 } else { count * of_slice }, 0);
        }
        let outgoing = core::mem::take(&mut self.outgoing);
        let messages: Vec<&[u8]> = outgoing.iter().map(Vec::as_slice).collect();
        let exchanged = self.exchange(&messages);
        self.outgoing = outgoing;
        exchanged
    }

    /// Adds the parts' slices in their order.
    fn fold_slices(
        &mut self,
        batch: &mut Batch<f64>,
        own: &[OwnedStatistics<f32>],
        totals: &[Vec<Totals<f64>>],
    ) -> Result<(), ThreadsError> {
        let own_rank = self.collective.rank();
        let (slice, is_fast) = (self.slice(own_rank), self.is_fast());
        for (rank, totals) in totals.iter().enumerate() {
            let mut message = &self.incoming[rank][..];
            let parts = parts_of(batch.round().cut().parts(), rank, self.collective.size());
            for (index, &of_part) in (0..).zip(totals) {
                let OwnedStatistics { totals, gradient_sum, second_moment } = &mut self.part;
                *totals = of_part;
                let first = parts.start + index;
                let end = if is_fast { parts.end } else { first + 1 };
                batch.take_several_sums(first..end, of_part.samples)?;
                if rank == own_rank {
                    gradient_sum.copy_from_slice(&own[index as usize].gradient_sum[slice.clone()]);
                    if !second_moment.is_empty() {
                        second_moment.copy_from_slice(&own[index as usize].second_moment[slice.clone()]);
                    }
                } else {
                    take(&mut message, gradient_sum);
                    take(&mut message, second_moment);
                }
                self.fold.take_closed(&mut self.part)?;
            }
        }
        Ok(())
    }

    /// Writes ḡ, of which each rank has a slice, and ‖Σ gᵢ‖².
    fn gather_mean(
        &mut self,
        folded: Result<(), ThreadsError>,
        mean: &mut [f32],
    ) -> Result<(), ThreadsError> {
        let own = self.slice(self.collective.rank());
        let mut norms = Vec::new();
        let written = folded.and_then(|()| {
            let mean = &mut mean[own.clone()];
            Ok(self.fold.mean_gradient_by_blocks(mean, |norm| norms.push(norm))?)
        });
        let message = written.map(|()| {
            let mut message = Vec::new();
            put(&mut message, &mean[own]);
            put(&mut message, &norms);
            message
        });
        let slices: Vec<_> = (0..self.size()).map(|rank| self.slice(rank)).collect();
        self.gather(message, |rank| slices[rank].len() * f32::BYTES + blocks_in(&slices[rank]) * f64::BYTES)?;
        let mut sum_norm_sq = 0.0;
        for (message, slice) in self.incoming.iter().zip(slices) {
            let mut message = &message[HEADER..];
            take(&mut message, &mut mean[slice]);
            all::<f64>(message).for_each(|norm| sum_norm_sq += norm);
        }
        self.batch.set_total(self.fold.totals(), sum_norm_sq);
        Ok(())
    }

    /// Writes Σ gᵢ and Σ gᵢ² of the batch, of which each rank has a slice.
    fn gather_moments(&mut self) -> Result<(), ThreadsError> {
        let mut totals = Totals::default();
        let message = self.fold.whole().map(|whole| {
            totals = whole.totals;
            let mut message = Vec::new();
            put(&mut message, &whole.gradient_sum);
            put(&mut message, &whole.second_moment);
            message
        });
        let slices: Vec<_> = (0..self.size()).map(|rank| self.slice(rank)).collect();
        self.gather(message.map_err(ThreadsError::from), |rank| slices[rank].len() * 2 * f64::BYTES)?;
        let whole = self.batch.whole()?;
        whole.totals = totals;
        for (message, slice) in self.incoming.iter().zip(slices) {
            let mut message = &message[HEADER..];
            take(&mut message, &mut whole.gradient_sum[slice.clone()]);
            take(&mut message, &mut whole.second_moment[slice]);
        }
        Ok(())
    }

    /// Sends the same to all, and receives what each has sent, behind a header: or what went wrong with the first rank with
    /// which something did.
    fn gather(
        &mut self,
        own: Result<Vec<u8>, ThreadsError>,
        len: impl Fn(usize) -> usize,
    ) -> Result<(), ThreadsError> {
        let rank = self.collective.rank();
        let mut message = std::vec![0; HEADER];
        let own = match own {
            Ok(payload) => {
                message.extend_from_slice(&payload);
                None
            }
            Err(error) => {
                let is_cancelled = matches!(error, ThreadsError::Cancelled);
                message[0] = if is_cancelled { CANCELLED } else { FAILED };
                let text = error.to_string();
                message[1..].iter_mut().zip(text.bytes()).for_each(|(place, byte)| *place = byte);
                Some(error)
            }
        };
        message.resize(HEADER + len(rank), 0);
        for (other, place) in self.incoming.iter_mut().enumerate() {
            place.resize(HEADER + len(other), 0);
        }
        let messages: Vec<&[u8]> = (0..self.size()).map(|_| message.as_slice()).collect();
        self.exchange(&messages)?;
        let of = |status| self.incoming.iter().position(|message| message[0] == status);
        let Some(first) = of(FAILED).or_else(|| of(CANCELLED)) else { return Ok(()) };
        Err(match own {
            Some(error) if first == rank => error,
            _ if self.incoming[first][0] == CANCELLED => ThreadsError::Cancelled,
            _ => ThreadsError::Rank { rank: first, error: text(&self.incoming[first][1..HEADER]) },
        })
    }

    fn exchange(&mut self, messages: &[&[u8]]) -> Result<(), ThreadsError> {
        let rank = self.collective.rank();
        let sent =
            messages.iter().enumerate().filter(|&(other, message)| other != rank && !message.is_empty());
        for (_, message) in sent {
            self.traffic.bytes += message.len() as u64;
            self.traffic.messages += 1;
        }
        Ok(self.collective.exchange(messages, &mut self.incoming)?)
    }
}

/// A rank's own sum as one part: for [`Reduction::Fast`].
pub(in crate::owned) fn as_one_part(
    batch: &mut BatchSums<f32>,
    part: &mut OwnedStatistics<f32>,
    is_compared: bool,
) -> Result<(), ThreadsError> {
    let whole = batch.whole()?;
    part.clear();
    part.with(|part| whole.with(|whole| part.merge(whole)))?;
    if is_compared {
        part.totals.parts = Parts::of_one(part.totals.samples, square_norm(&part.gradient_sum));
    }
    Ok(())
}

fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into()
}

fn reserve(message: &mut Vec<u8>, bytes: usize) -> Result<(), RunError> {
    message.clear();
    message.try_reserve_exact(bytes).map_err(|_| RunError::OutOfMemory { bytes })
}
