//! Pipelines, bindings and dispatches: the only file that knows bind groups.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::cost::{Cost, Costed};
use super::device::Gpu;
use super::shader_text::shader;

/// A shader file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shader {
    /// Which samples, and their pixels.
    Draw,
    /// Dense layers.
    Matrix,
    /// Convolutions.
    Conv2d,
    /// Max-pooling.
    MaxPool2d,
    /// Average pooling.
    AveragePool2d,
    /// Group normalisation.
    GroupNorm,
    /// Layer normalisation.
    LayerNorm,
    /// Tokens as vectors.
    Embedding,
    /// Vectors of positions.
    PositionEmbedding,
    /// Self-attention.
    Attention,
    /// ReLU, tanh and GELU.
    Activation,
    /// Sums of two inputs.
    Add,
    /// Loss, norms, sums.
    Statistics,
    /// Noise and signal, coordinate by coordinate.
    Noise,
    /// An epoch's sum.
    Epoch,
    /// Updates.
    Optimizer,
}

impl Shader {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::Draw,
        Self::Matrix,
        Self::Conv2d,
        Self::MaxPool2d,
        Self::AveragePool2d,
        Self::GroupNorm,
        Self::LayerNorm,
        Self::Embedding,
        Self::PositionEmbedding,
        Self::Attention,
        Self::Activation,
        Self::Add,
        Self::Statistics,
        Self::Noise,
        Self::Epoch,
        Self::Optimizer,
    ];

    /// Its text, without comments.
    #[must_use]
    pub const fn source(self) -> &'static str {
        match self {
            Self::Draw => shader!("draw.wgsl"),
            Self::Matrix => shader!("matrix.wgsl"),
            Self::Conv2d => shader!("conv2d.wgsl"),
            Self::MaxPool2d => shader!("max_pool2d.wgsl"),
            Self::AveragePool2d => shader!("average_pool2d.wgsl"),
            Self::GroupNorm => shader!("group_norm.wgsl"),
            Self::LayerNorm => shader!("layer_norm.wgsl"),
            Self::Embedding => shader!("embedding.wgsl"),
            Self::PositionEmbedding => shader!("position_embedding.wgsl"),
            Self::Attention => shader!("attention.wgsl"),
            Self::Activation => shader!("activation.wgsl"),
            Self::Add => shader!("add.wgsl"),
            Self::Statistics => shader!("statistics.wgsl"),
            Self::Noise => shader!("noise.wgsl"),
            Self::Epoch => shader!("epoch.wgsl"),
            Self::Optimizer => shader!("optimizer.wgsl"),
        }
    }
}

/// How many workgroups run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grid {
    /// One invocation each, 64 a workgroup, folded to two dimensions where one holds too few.
    Flat(u32),
    /// Workgroups, folded likewise.
    Folded(u32),
    /// Workgroups, as they are.
    Groups([u32; 2]),
}

impl Grid {
    /// WebGPU's limit a dimension.
    const MOST: u32 = 65_535;

    fn workgroups(self) -> [u32; 2] {
        match self {
            Self::Groups(groups) => groups,
            Self::Flat(invocations) => Self::Folded(invocations.div_ceil(64)).workgroups(),
            Self::Folded(groups) => {
                let rows = groups.div_ceil(Self::MOST).max(1);
                [groups.div_ceil(rows), rows]
            }
        }
    }
}

/// An entry point with its constants, and how often it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Launch {
    pub(super) shader: Shader,
    pub(super) entry: &'static str,
    /// Values of `override` constants.
    pub(super) constants: Vec<(&'static str, u32)>,
    pub(super) grid: Grid,
}

impl Launch {
    /// One invocation each, 64 a workgroup.
    pub(super) fn flat(
        shader: Shader,
        entry: &'static str,
        constants: &[(&'static str, bool)],
        invocations: u32,
    ) -> Self {
        let constants = constants.iter().map(|&(name, value)| (name, value.into())).collect();
        Self { shader, entry, constants, grid: Grid::Flat(invocations) }
    }
}

/// One dispatch, ready to run, with its uniform block.
#[derive(Debug)]
pub(super) struct Dispatch {
    entry: &'static str,
    pipeline: wgpu::ComputePipeline,
    bindings: wgpu::BindGroup,
    uniform: wgpu::Buffer,
    groups: [u32; 2],
    cost: Cell<Cost>,
}

impl Dispatch {
    /// Records it.
    pub(super) fn record(&self, pass: &mut wgpu::ComputePass<'_>) {
        let [x, y] = self.groups;
        if x > 0 && y > 0 {
            pass.set_pipeline(&self.pipeline);
            pass.set_bind_group(0, &self.bindings, &[]);
            pass.dispatch_workgroups(x, y, 1);
        }
    }

    /// Writes another uniform block, for what is submitted from now on.
    pub(super) fn set(&self, gpu: &Gpu, uniform: &impl Costed) {
        gpu.write_bytes(&self.uniform, &uniform.bytes());
        self.cost.set(uniform.cost(self.entry));
    }

    /// Its entry point.
    pub(super) const fn entry(&self) -> &'static str {
        self.entry
    }

    /// What it computes and moves.
    pub(super) const fn cost(&self) -> Cost {
        self.cost.get()
    }
}

/// What a pipeline is made of.
type Key = (Shader, &'static str, Vec<(&'static str, u32)>);

/// The compiled shaders of a device, each compiled once, whatever engines use them. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Kernels {
    compiled: Arc<Mutex<Compiled>>,
}

#[derive(Debug, Default)]
struct Compiled {
    modules: HashMap<Shader, wgpu::ShaderModule>,
    pipelines: HashMap<Key, wgpu::ComputePipeline>,
}

impl Kernels {
    /// A dispatch of the entry point `entry`, with its uniform block at binding 0 and buffers at the others.
    pub(super) fn dispatch(
        &self,
        gpu: &Gpu,
        shader: Shader,
        entry: &'static str,
        uniform: &impl Costed,
        buffers: &[(u32, &wgpu::Buffer)],
        grid: Grid,
    ) -> Dispatch {
        self.launch(gpu, &Launch { shader, entry, constants: Vec::new(), grid }, uniform, buffers)
    }

    /// A dispatch, with its uniform block at binding 0 and buffers at the others.
    pub(super) fn launch(
        &self,
        gpu: &Gpu,
        launch: &Launch,
        uniform: &impl Costed,
        buffers: &[(u32, &wgpu::Buffer)],
    ) -> Dispatch {
        self.bind(gpu, launch, &uniform.bytes(), uniform.cost(launch.entry), buffers)
    }

    /// The same with the uniform block as bytes.
    pub(super) fn bind(
        &self,
        gpu: &Gpu,
        launch: &Launch,
        uniform: &[u8],
        cost: Cost,
        buffers: &[(u32, &wgpu::Buffer)],
    ) -> Dispatch {
        use wgpu::BufferUsages as Usage;
        let &Launch { entry, grid, .. } = launch;
        let pipeline = self.pipeline(gpu, launch);
        let block = gpu.buffer(entry, uniform.len() / 4, Usage::UNIFORM | Usage::COPY_DST);
        gpu.write_bytes(&block, uniform);
        let entries: Vec<_> = [(0, &block)]
            .iter()
            .chain(buffers)
            .map(|&(binding, buffer)| wgpu::BindGroupEntry { binding, resource: buffer.as_entire_binding() })
            .collect();
        let bindings = gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some(entry),
            layout: &pipeline.get_bind_group_layout(0),
            entries: &entries,
        });
        let groups = grid.workgroups();
        Dispatch { entry, pipeline, bindings, uniform: block, groups, cost: Cell::new(cost) }
    }

    fn pipeline(&self, gpu: &Gpu, launch: &Launch) -> wgpu::ComputePipeline {
        let &Launch { shader, entry, ref constants, .. } = launch;
        let Compiled { modules, pipelines } =
            &mut *self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        let module = modules.entry(shader).or_insert_with(|| {
            gpu.device.create_shader_module(wgpu::ShaderModuleDescriptor {
                label: Some(entry),
                source: wgpu::ShaderSource::Wgsl(shader.source().into()),
            })
        });
        let create = || {
            let constants: Vec<_> = constants.iter().map(|&(name, value)| (name, value.into())).collect();
            gpu.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(entry),
                layout: None,
                module,
                entry_point: Some(entry),
                compilation_options: wgpu::PipelineCompilationOptions {
                    constants: &constants,
                    // Every tile is written before it is read.
                    zero_initialize_workgroup_memory: false,
                },
                cache: None,
            })
        };
        pipelines.entry((shader, entry, constants.clone())).or_insert_with(create).clone()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.compiled.lock().unwrap_or_else(PoisonError::into_inner).pipelines.len()
    }
}
