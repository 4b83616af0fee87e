//! The rows of the layers' kernels: an operation without one does not compile.

use adadagrad_core::layer::{
    Add, AveragePool2d, CausalAttention, Conv2d, Dense, Embedding, Flatten, Gelu, GlobalAveragePool,
    GroupNorm, LayerNorm, MaxPool2d, Operation, PositionEmbedding, Relu, Tanh,
};

use super::case::Random;
use super::{
    Case, attention, convolution, dense, embedding, group_norm, layer_norm, pooling, value_by_value,
};

/// One of each operation, of any size.
const EACH: [Operation; Operation::COUNT] = [
    Operation::Dense(Dense { outputs: 1 }),
    Operation::Conv2d(Conv2d { outputs: 1, kernel: 1, stride: 1, padding: 0, bias: true }),
    Operation::Relu(Relu),
    Operation::Tanh(Tanh),
    Operation::Gelu(Gelu),
    Operation::MaxPool2d(MaxPool2d { kernel: 1, stride: 1 }),
    Operation::AveragePool2d(AveragePool2d { kernel: 1, stride: 1 }),
    Operation::GlobalAveragePool(GlobalAveragePool),
    Operation::GroupNorm(GroupNorm { groups: 1 }),
    Operation::Add(Add),
    Operation::Flatten(Flatten),
    Operation::Embedding(Embedding { vocabulary: 1, width: 1 }),
    Operation::PositionEmbedding(PositionEmbedding { positions: 1 }),
    Operation::LayerNorm(LayerNorm),
    Operation::CausalAttention(CausalAttention { heads: 1 }),
];

/// A layer's cases.
type Row = fn(&mut Random, &mut Vec<Case>);

const fn row(operation: &Operation) -> Row {
    match operation {
        Operation::Dense(_) => dense::cases,
        Operation::Conv2d(_) => convolution::cases,
        Operation::Relu(_) => value_by_value::relu_cases,
        Operation::Tanh(_) => value_by_value::tanh_cases,
        Operation::Gelu(_) => value_by_value::gelu_cases,
        Operation::MaxPool2d(_) => pooling::max_cases,
        Operation::AveragePool2d(_) => pooling::average_cases,
        Operation::GlobalAveragePool(_) => pooling::global_cases,
        Operation::GroupNorm(_) => group_norm::cases,
        Operation::Add(_) => value_by_value::add_cases,
        Operation::Embedding(_) => embedding::token_cases,
        Operation::PositionEmbedding(_) => embedding::position_cases,
        Operation::LayerNorm(_) => layer_norm::cases,
        Operation::CausalAttention(_) => attention::cases,
        // No value moves.
        Operation::Flatten(_) => |_, _| {},
    }
}

/// The cases of all layers.
pub(super) fn cases(random: &mut Random, cases: &mut Vec<Case>) {
    for operation in &EACH {
        row(operation)(random, cases);
    }
}

#[cfg(test)]
mod tests {
    use std::mem::discriminant;

    use super::super::super::layers::twin;
    use super::*;

    #[test]
    fn each_operation_is_there_once_and_has_cases_where_it_computes() {
        for (k, operation) in EACH.iter().enumerate() {
            let is_same = |other: &&Operation| discriminant(*other) == discriminant(operation);
            assert_eq!(EACH.iter().filter(is_same).count(), 1, "{operation}, the {k}th");
            let mut cases = Vec::new();
            row(operation)(&mut Random(1), &mut cases);
            assert_eq!(cases.is_empty(), twin(operation).is_none(), "{operation}");
        }
    }
}
