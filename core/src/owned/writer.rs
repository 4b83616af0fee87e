//! Text that a network writes, token by token.

use core::fmt;
use std::vec::Vec;

use super::OwnedNetwork;
use super::error::RunError;
use super::zeros::zeros;
use crate::network::DecodeError;
use crate::random::Key;
use crate::real::Real;

/// Why nothing is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum WriteError {
    /// The network cannot read token by token, or not this token.
    Decode(DecodeError),
    /// An output of the network is not finite.
    NotFinite,
    /// This temperature is not a number from 0.
    Temperature(f64),
    /// Nothing was read, so that nothing can follow.
    NothingRead,
    /// There is not enough memory.
    Memory(RunError),
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decode(error) => error.fmt(f),
            Self::NotFinite => f.write_str("an output of the network is not a finite number"),
            Self::Temperature(found) => {
                write!(f, "the temperature is {found}, but must be a finite number, at least 0")
            }
            Self::NothingRead => f.write_str("no token was read, so none can follow"),
            Self::Memory(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for WriteError {}

impl From<DecodeError> for WriteError {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}

/// Reads tokens, and draws those that follow: token k with probability proportional to exp(zₖ/temperature), where z are the
/// network's outputs. At temperature 0 that is the token with the largest output, the first of equals.
///
/// The same network, tokens, temperature and seed give the same text on every platform. When a sequence has become as long as
/// the network's context, the second half of it is read again as the beginning of a new one, so that a token costs at most
/// two positions on average.
#[derive(Debug)]
pub struct Writer<F> {
    network: OwnedNetwork,
    parameters: Vec<F>,
    /// What the network keeps of the sequence.
    memory: Vec<F>,
    /// The sequence that it has read.
    sequence: Vec<u32>,
    /// Its outputs for the last token.
    logits: Vec<F>,
    key: Key,
    drawn: u32,
}

impl<F: Real> Writer<F> {
    /// A writer with a network's parameters, in the order of files; the seed decides what is drawn.
    ///
    /// # Errors
    /// When the network does not take tokens, mixes positions, or has another number of parameters; when there is not
    /// enough memory.
    pub fn new(network: OwnedNetwork, parameters: Vec<F>, seed: u64) -> Result<Self, WriteError> {
        let memory = zeros(network.view().decode_len()?).map_err(WriteError::Memory)?;
        crate::statistics::check_length("the parameters", network.view().parameters(), parameters.len())
            .map_err(DecodeError::from)?;
        let (sequence, logits) = (Vec::new(), Vec::new());
        Ok(Self { network, parameters, memory, sequence, logits, key: Key::new(seed, STREAM), drawn: 0 })
    }

    /// Reads a token.
    ///
    /// # Errors
    /// When there is no such token.
    pub fn read(&mut self, token: u32) -> Result<(), WriteError> {
        let context = self.network.view().context();
        if self.sequence.len() == context {
            let again = self.sequence.split_off(context.div_ceil(2));
            self.sequence.clear();
            again.into_iter().try_for_each(|token| self.decode(token))?;
        }
        self.decode(token)
    }

    fn decode(&mut self, token: u32) -> Result<(), WriteError> {
        let Self { network, parameters, memory, sequence, logits, .. } = self;
        let outputs = network.view().decode(parameters, sequence.len(), token, memory)?;
        logits.clear();
        logits.extend_from_slice(outputs);
        sequence.push(token);
        Ok(())
    }

    /// The probability of each token to follow.
    ///
    /// # Errors
    /// When nothing was read, the temperature is not a number from 0, or an output is not finite.
    pub fn probabilities(&self, temperature: f64) -> Result<Vec<f64>, WriteError> {
        if !(temperature >= 0.0 && temperature.is_finite()) {
            return Err(WriteError::Temperature(temperature));
        }
        let logits: Vec<f64> = self.logits.iter().map(|&logit| logit.as_f64()).collect();
        if logits.is_empty() {
            return Err(WriteError::NothingRead);
        }
        if !logits.iter().all(|logit| logit.is_finite()) {
            return Err(WriteError::NotFinite);
        }
        let top = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let first = logits.iter().position(|&logit| logit == top);
        let weight = |(token, &logit): (usize, &f64)| match logit - top {
            // Also where dividing by a tiny temperature would give 0/0.
            _ if temperature == 0.0 => f64::from(u8::from(Some(token) == first)),
            below => (below / temperature).exponential(),
        };
        let weights: Vec<f64> = logits.iter().enumerate().map(weight).collect();
        let sum: f64 = weights.iter().sum();
        Ok(weights.into_iter().map(|weight| weight / sum).collect())
    }

    /// Draws the token that follows, and reads it.
    ///
    /// # Errors
    /// As [`Self::probabilities`].
    pub fn write(&mut self, temperature: f64) -> Result<u32, WriteError> {
        let probabilities = self.probabilities(temperature)?;
        let uniform = (f64::from(self.key.bits(self.drawn)) + 0.5) / 4_294_967_296.0;
        let mut sum = 0.0;
        // Rounding may leave the sum of all below the number drawn: then it is the last that is possible at all.
        let (mut drawn, mut possible) = (None, 0);
        for (token, &probability) in (0_u32..).zip(&probabilities) {
            sum += probability;
            if probability > 0.0 {
                possible = token;
            }
            if drawn.is_none() && uniform < sum {
                drawn = Some(token);
            }
        }
        let token = drawn.unwrap_or(possible);
        self.drawn = self.drawn.wrapping_add(1);
        self.read(token)?;
        Ok(token)
    }
}

/// Of the random numbers of a seed: apart from initial parameters and orders of samples, whose streams are counted from 0.
const STREAM: u64 = 0x7465_7874;
