//! Pipelines, bindings and dispatches: the only file that knows bind groups.

use std::collections::HashMap;

use super::device::Gpu;
use super::uniforms::Uniform;

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
    /// ReLU and tanh.
    Activation,
    /// Loss, norms, sums.
    Statistics,
    /// Updates.
    Optimizer,
}

impl Shader {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Draw,
        Self::Matrix,
        Self::Conv2d,
        Self::MaxPool2d,
        Self::Activation,
        Self::Statistics,
        Self::Optimizer,
    ];

    /// Its text.
    #[must_use]
    pub const fn source(self) -> &'static str {
        match self {
            Self::Draw => include_str!("../../shaders/draw.wgsl"),
            Self::Matrix => include_str!("../../shaders/matrix.wgsl"),
            Self::Conv2d => include_str!("../../shaders/conv2d.wgsl"),
            Self::MaxPool2d => include_str!("../../shaders/max_pool2d.wgsl"),
            Self::Activation => include_str!("../../shaders/activation.wgsl"),
            Self::Statistics => include_str!("../../shaders/statistics.wgsl"),
            Self::Optimizer => include_str!("../../shaders/optimizer.wgsl"),
        }
    }
}

/// How many workgroups run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grid {
    /// One invocation each, 64 a workgroup, folded to two dimensions where one holds too few.
    Flat(u32),
    /// Workgroups, as they are.
    Groups([u32; 2]),
}

impl Grid {
    /// WebGPU's limit a dimension.
    const MOST: u32 = 65_535;

    fn workgroups(self) -> [u32; 2] {
        match self {
            Self::Groups(groups) => groups,
            Self::Flat(invocations) => {
                let groups = invocations.div_ceil(64);
                let rows = groups.div_ceil(Self::MOST).max(1);
                [groups.div_ceil(rows), rows]
            }
        }
    }
}

/// One dispatch, ready to run, with its uniform block.
#[derive(Debug)]
pub(super) struct Dispatch {
    pipeline: wgpu::ComputePipeline,
    bindings: wgpu::BindGroup,
    uniform: wgpu::Buffer,
    groups: [u32; 2],
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
    pub(super) fn set(&self, gpu: &Gpu, uniform: &impl Uniform) {
        gpu.write_bytes(&self.uniform, &uniform.bytes());
    }
}

/// The compiled shaders of a device.
#[derive(Debug, Default)]
pub(super) struct Kernels {
    modules: HashMap<Shader, wgpu::ShaderModule>,
    pipelines: HashMap<(Shader, &'static str), wgpu::ComputePipeline>,
}

impl Kernels {
    /// A dispatch of the entry point `entry`, with its uniform block at binding 0 and buffers at the others.
    pub(super) fn dispatch(
        &mut self,
        gpu: &Gpu,
        shader: Shader,
        entry: &'static str,
        uniform: &impl Uniform,
        buffers: &[(u32, &wgpu::Buffer)],
        grid: Grid,
    ) -> Dispatch {
        use wgpu::BufferUsages as Usage;
        let pipeline = self.pipeline(gpu, shader, entry);
        let bytes = uniform.bytes();
        let block = gpu.buffer(entry, bytes.len() / 4, Usage::UNIFORM | Usage::COPY_DST);
        gpu.write_bytes(&block, &bytes);
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
        Dispatch { pipeline, bindings, uniform: block, groups: grid.workgroups() }
    }

    fn pipeline(&mut self, gpu: &Gpu, shader: Shader, entry: &'static str) -> wgpu::ComputePipeline {
        let module = self.modules.entry(shader).or_insert_with(|| {
            gpu.device.create_shader_module(wgpu::ShaderModuleDescriptor {
                label: Some(entry),
                source: wgpu::ShaderSource::Wgsl(shader.source().into()),
            })
        });
        let create = || {
            gpu.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(entry),
                layout: None,
                module,
                entry_point: Some(entry),
                compilation_options: wgpu::PipelineCompilationOptions {
                    // Every tile is written before it is read.
                    zero_initialize_workgroup_memory: false,
                    ..Default::default()
                },
                cache: None,
            })
        };
        self.pipelines.entry((shader, entry)).or_insert_with(create).clone()
    }
}
