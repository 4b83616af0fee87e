//! Sequences read token by token, as text is written: each token costs one position instead of a whole sequence.

use core::fmt;

use super::{Network, Placed};
use crate::backend::PlainBackend;
use crate::layer::{Forward, Layer, Operation, Place};
use crate::length::{LengthMismatch, check_length};
use crate::real::Real;
use crate::shape::Shape;
use crate::statistics::Needs;

/// Why a network cannot read a sequence token by token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// The network does not take tokens.
    NoTokens,
    /// A node's output at a position depends on later ones.
    NotCausal {
        /// Which node, counted from 0.
        layer: usize,
        /// Its operation.
        operation: Operation,
    },
    /// The sequence is as long as those that the network was trained on.
    Full {
        /// Their number of positions.
        context: usize,
    },
    /// There is no such token.
    Token {
        /// The token.
        token: u32,
        /// Number of tokens that there are.
        vocabulary: u32,
    },
    /// Parameters or memory of another length.
    Length(LengthMismatch),
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTokens => f.write_str("the network does not take tokens"),
            Self::NotCausal { layer, operation } => write!(
                f,
                "layer {layer} ({operation}) mixes positions, so the network cannot predict a token from those before it"
            ),
            Self::Full { context } => write!(f, "the network reads at most {context} tokens"),
            Self::Token { token, vocabulary } => {
                write!(f, "token {token} is outside of the vocabulary of {vocabulary}")
            }
            Self::Length(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for DecodeError {}

impl From<LengthMismatch> for DecodeError {
    fn from(error: LengthMismatch) -> Self {
        Self::Length(error)
    }
}

impl Network<'_> {
    /// The longest sequence, in tokens.
    #[must_use]
    pub const fn context(&self) -> usize {
        self.input().width as usize
    }

    /// Number of values of memory that [`Self::decode`] takes: the outputs of one position, keys and values of all, and
    /// scratch memory.
    ///
    /// # Errors
    /// When the network does not take tokens, or a layer mixes positions other than by causal attention.
    pub fn decode_len(&self) -> Result<usize, DecodeError> {
        let is_causal = |node: &Placed| match node.operation {
            Operation::Embedding(_)
            | Operation::PositionEmbedding(_)
            | Operation::CausalAttention(_)
            | Operation::Dense(_)
            | Operation::LayerNorm(_)
            | Operation::Relu(_)
            | Operation::Tanh(_)
            | Operation::Gelu(_)
            | Operation::Add(_) => true,
            Operation::Conv2d(_)
            | Operation::MaxPool2d(_)
            | Operation::AveragePool2d(_)
            | Operation::GlobalAveragePool(_)
            | Operation::GroupNorm(_)
            | Operation::Flatten(_) => false,
        };
        if self.embedding().is_none() {
            return Err(DecodeError::NoTokens);
        }
        if let Some(layer) = self.nodes().iter().position(|node| !is_causal(node)) {
            return Err(DecodeError::NotCausal { layer, operation: self.nodes()[layer].operation });
        }
        Ok(self.position_len() + self.kept_len() + self.decode_scratch_len())
    }

    /// Reads the token at a position of a sequence, and gives the outputs there: the logits of the token behind it. The tokens
    /// at all earlier positions have been read before, in their order, with the same memory, of which attention keeps their
    /// keys and values. At position 0 another sequence begins.
    ///
    /// The outputs have the bits of a forward pass over the whole sequence with [`PlainBackend`] (of more than one token: dense
    /// layers add up a vector in another order). Parameters are in the order of files.
    ///
    /// # Errors
    /// As [`Self::decode_len`]; when the token or the position does not exist, or lengths do not fit.
    pub fn decode<'m, F: Real>(
        &self,
        parameters: &[F],
        position: usize,
        token: u32,
        memory: &'m mut [F],
    ) -> Result<&'m [F], DecodeError> {
        check_length("the memory of a sequence", self.decode_len()?, memory.len())?;
        check_length("the parameters", self.parameters(), parameters.len())?;
        let context = self.context();
        if position >= context {
            return Err(DecodeError::Full { context });
        }
        let vocabulary = self.embedding().map_or(0, |embedding| embedding.vocabulary);
        if token >= vocabulary {
            return Err(DecodeError::Token { token, vocabulary });
        }
        let (values, rest) = memory.split_at_mut(self.position_len());
        let (mut kept, scratch) = rest.split_at_mut(self.kept_len());
        values[0] = F::of(token.into());
        for node in self.nodes() {
            // Only sequences of the same length are here, so that offsets are those of whole sequences divided by it.
            let place = node.at_one_position();
            let (before, rest) = values.split_at_mut(node.output_offset / context);
            let y = &mut rest[..place.output.len()];
            let x = node.values.map(|x| &before[x.offset / context..][..x.len / context]);
            let parameters = &parameters[node.parameters()];
            let call = Forward { backend: &PlainBackend, place, samples: 1, parameters, x };
            match node.operation {
                Operation::PositionEmbedding(embedding) => embedding.forward_at(position, &call, y),
                Operation::CausalAttention(attention) => {
                    let own;
                    (own, kept) = kept.split_at_mut(attention.kept_len(place, context));
                    attention.forward_at(position, &call, own, y, scratch);
                }
                // Not as of a vector, whose sums have another order.
                Operation::Dense(dense) => Layer::forward(&dense.on_positions(), &call, y, scratch),
                operation => operation.layer().forward(&call, y, scratch),
            }
        }
        let last = self.outputs() / context;
        let offset = self.nodes().last().map_or(0, |node| node.output_offset / context);
        Ok(&values[offset..][..last])
    }

    /// Values of one position.
    const fn position_len(&self) -> usize {
        self.activations() / self.context()
    }

    /// Keys and values of all positions.
    fn kept_len(&self) -> usize {
        let of_node = |node: &Placed| match node.operation {
            Operation::CausalAttention(attention) => {
                attention.kept_len(node.at_one_position(), self.context())
            }
            _ => 0,
        };
        self.nodes().iter().map(of_node).sum()
    }

    fn decode_scratch_len(&self) -> usize {
        let of_node = |node: &Placed| {
            let place = node.at_one_position();
            match node.operation {
                Operation::CausalAttention(_) => 2 * self.context(),
                Operation::Dense(dense) => dense.on_positions().scratch_len(place, 1, &Needs::NONE),
                operation => operation.scratch_len(place, 1, &Needs::NONE),
            }
        };
        self.nodes().iter().map(of_node).max().unwrap_or(0)
    }
}

impl Placed {
    /// Its place where there is one position alone.
    const fn at_one_position(&self) -> Place {
        let place = self.place();
        let [input, output] = [place.input, place.output];
        Place {
            input: Shape::sequence(input.channels, 1),
            output: Shape::sequence(output.channels, 1),
            ..place
        }
    }
}
