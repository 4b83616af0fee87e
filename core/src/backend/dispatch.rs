//! Which layers in `f32` have their own kernels, and how these are called: with `pulp`, which finds the vector
//! instructions of the machine at run time.

use pulp::WithSimd;

use super::kernels::{ActivationKernels, Kernels, LayerNormKernels, Passes};
use super::{
    causal_attention, conv2d_dense_errors, conv2d_sparse_errors, cross_entropy, dense_sparse_inputs, gelu,
    group_norm, layer_norm,
};
use crate::vectors::dispatch;

/// What one call of a kernel is given. Each kernel is what [`WithSimd`] does with one of these.
pub(super) struct Call<'a, Sizes, Of> {
    pub(super) sizes: Sizes,
    pub(super) of: Of,
    pub(super) scratch: &'a mut [f32],
}

fn call<'a, Sizes, Of>(sizes: Sizes, of: Of, scratch: &'a mut [f32])
where
    Call<'a, Sizes, Of>: WithSimd<Output = ()>,
{
    dispatch(Call { sizes, of, scratch });
}

pub(super) const KERNELS: Kernels<f32> = Kernels {
    conv2d: Passes {
        can_do: conv2d_dense_errors::can_do,
        scratch_len: conv2d_dense_errors::scratch_len,
        forward: |windows, of, scratch| call(windows, of, scratch),
        backward: |windows, of, scratch| call(windows, of, scratch),
    },
    // Three of four errors are zero behind the pooling, and half of the others behind the ReLU.
    pooled_conv2d: Passes {
        can_do: conv2d_sparse_errors::can_do,
        scratch_len: conv2d_sparse_errors::scratch_len,
        forward: |windows, of, scratch| call(windows, of, scratch),
        backward: |windows, of, scratch| call(windows, of, scratch),
    },
    group_norm: Passes {
        can_do: |_| true,
        scratch_len: group_norm::scratch_len,
        forward: |sizes, of, scratch| call(sizes, of, scratch),
        backward: |sizes, of, scratch| call(sizes, of, scratch),
    },
    // Weights lie by inputs where the inputs are the samples, which are mostly zeros.
    dense: Passes {
        can_do: |dense| dense.by_inputs,
        scratch_len: dense_sparse_inputs::scratch_len,
        forward: |dense, of, scratch| call(dense, of, scratch),
        backward: |dense, of, scratch| call(dense, of, scratch),
    },
    gelu: ActivationKernels { forward: gelu::forward, backward: gelu::backward },
    layer_norm: LayerNormKernels { forward: layer_norm::forward, backward: layer_norm::backward },
    attention: Passes {
        can_do: |_| true,
        scratch_len: causal_attention::scratch_len,
        forward: |sizes, of, scratch| call(sizes, of, scratch),
        backward: |sizes, of, scratch| call(sizes, of, scratch),
    },
    cross_entropy: cross_entropy::cross_entropy,
};
