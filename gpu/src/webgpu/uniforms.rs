//! The uniform blocks of the shaders, field by field: every field is one 32-bit word, in WGSL's order and
//! with WGSL's names, which a test compares with what naga reads in the shaders.

/// A value that fits one word of a uniform block.
pub(super) trait Word: Copy {
    /// Its bits.
    fn word(self) -> u32;
}

impl Word for u32 {
    fn word(self) -> u32 {
        self
    }
}

impl Word for f32 {
    fn word(self) -> u32 {
        self.to_bits()
    }
}

/// A uniform block.
pub trait Uniform: Copy {
    /// The names of its fields in order.
    const FIELDS: &'static [&'static str];

    /// Its words, ready for the device.
    fn bytes(&self) -> Vec<u8>;
}

macro_rules! uniform {
    ($(#[$meta:meta])* $name:ident { $($field:ident: $kind:ty),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq)]
        #[allow(missing_docs, reason = "the shader of the same name explains its fields")]
        pub struct $name {
            $(pub $field: $kind,)+
        }

        impl Uniform for $name {
            const FIELDS: &'static [&'static str] = &[$(stringify!($field)),+];

            fn bytes(&self) -> Vec<u8> {
                [$(self.$field.word()),+].iter().flat_map(|word| word.to_le_bytes()).collect()
            }
        }
    };
}

uniform! {
    /// `draw.wgsl`.
    Draw {
        samples: u32, start: u32, length: u32, first: u32, held: u32, values: u32, plane: u32, width: u32,
        this_key_0: u32, this_key_1: u32, next_key_0: u32, next_key_1: u32,
        low_bits: u32, high_bits: u32, shuffled: u32,
        this_place_0: u32, this_place_1: u32, next_place_0: u32, next_place_1: u32,
        padding: u32, flip: u32, labels: u32,
    }
}

uniform! {
    /// `matrix.wgsl`.
    Product {
        rows: u32, columns: u32, inner: u32,
        a_offset: u32, a_row: u32, a_inner: u32,
        b_offset: u32, b_inner: u32, b_column: u32,
        c_offset: u32, c_row: u32, bias_offset: u32,
    }
}

uniform! {
    /// `conv2d.wgsl`.
    Conv2d {
        samples: u32, channels: u32, height: u32, width: u32,
        outputs: u32, out_height: u32, out_width: u32,
        kernel: u32, stride: u32, padding: u32,
        parameter_offset: u32, relu: u32, slice: u32, sink_stride: u32, flags: u32,
    }
}

uniform! {
    /// `max_pool2d.wgsl`.
    MaxPool2d {
        planes: u32, height: u32, width: u32, out_height: u32, out_width: u32, kernel: u32, stride: u32,
    }
}

uniform! {
    /// `average_pool2d.wgsl`.
    AveragePool2d {
        planes: u32, height: u32, width: u32, out_height: u32, out_width: u32,
        kernel_height: u32, kernel_width: u32, stride: u32,
    }
}

uniform! {
    /// `group_norm.wgsl`.
    GroupNorm { samples: u32, channels: u32, groups: u32, plane: u32, parameter_offset: u32 }
}

uniform! {
    /// `layer_norm.wgsl`.
    LayerNorm { samples: u32, channels: u32, plane: u32, parameter_offset: u32 }
}

uniform! {
    /// `embedding.wgsl`.
    Embedding {
        samples: u32, positions: u32, vocabulary: u32, width: u32, parameter_offset: u32, capacity: u32,
    }
}

uniform! {
    /// `position_embedding.wgsl`.
    PositionEmbedding { samples: u32, channels: u32, positions: u32, rows: u32, parameter_offset: u32 }
}

uniform! {
    /// `attention.wgsl`.
    Attention { samples: u32, width: u32, heads: u32, positions: u32 }
}

uniform! {
    /// `activation.wgsl` and `add.wgsl`.
    Values { count: u32 }
}

uniform! {
    /// `statistics.wgsl`.
    Batch {
        samples: u32, capacity: u32, inputs: u32, outputs: u32,
        tiles: u32, stride: u32, place: u32, offset: u32, count: u32,
    }
}

uniform! {
    /// `noise.wgsl`.
    Noise { count: u32, samples: f32, place: u32, squares: u32, correction: f32, epsilon: f32 }
}

uniform! {
    /// `epoch.wgsl`.
    Epoch { count: u32, slot: u32, place: u32, scale: f32, ends: u32 }
}

uniform! {
    /// `optimizer.wgsl`.
    Step {
        count: u32, samples: f32, step_size: f32, root_scale: f32, shrink: f32, weight_decay: f32, epsilon: f32,
        decay1: f32, new1: f32, decay2: f32, new2: f32,
    }
}
