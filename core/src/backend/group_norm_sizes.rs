use core::ops::RangeFrom;

use super::{Backend, GroupNormKernels};
use crate::real::Real;
use crate::shape::Shape;

/// Sizes of one group normalisation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GroupNormSizes {
    pub(crate) channels: usize,
    groups: usize,
    /// Channels of a group.
    pub(crate) planes_of_group: usize,
    /// Values of a channel.
    pub(crate) plane: usize,
}

impl GroupNormSizes {
    /// Keeps the root away from 0, as PyTorch's default does.
    pub(crate) const EPSILON: f64 = 1e-5;

    pub(crate) fn new(groups: u32, input: Shape) -> Self {
        let [channels, groups] = [input.channels, groups].map(|size| size as usize);
        Self { channels, groups, planes_of_group: channels / groups, plane: input.plane() }
    }

    /// Kernels that can do this normalisation in so much scratch memory.
    pub(crate) fn kernels<F: Real>(
        self,
        backend: &dyn Backend<F>,
        scratch: usize,
    ) -> Option<GroupNormKernels<F>> {
        backend.kernels()?.group_norm.fitting(self, scratch)
    }

    /// Values of a group.
    pub(crate) fn group(self) -> usize {
        self.planes_of_group * self.plane
    }

    /// The channels of the `index`-th group of a micro-batch, and those after it.
    pub(crate) fn channels_of(self, index: usize) -> RangeFrom<usize> {
        index % self.groups * self.planes_of_group..
    }

    /// The channels of the `index`-th group of a micro-batch: their numbers and values.
    pub(crate) fn planes<'v, F>(
        self,
        index: usize,
        x: &'v [F],
        y: &'v mut [F],
    ) -> impl Iterator<Item = (usize, &'v [F], &'v mut [F])> {
        let channels = self.channels_of(index);
        let planes = x.chunks_exact(self.plane).zip(y.chunks_exact_mut(self.plane));
        channels.zip(planes).map(|(channel, (x, y))| (channel, x, y))
    }
}
