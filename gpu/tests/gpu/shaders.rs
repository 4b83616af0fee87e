//! The shaders without a GPU: every one parses and validates, and every uniform block has the fields that
//! Rust writes, word by word.

use adadagrad_gpu::webgpu::{
    Attention, AveragePool2d, Batch, Conv2d, Draw, Embedding, Epoch, GroupNorm, LayerNorm, MaxPool2d, Noise,
    PositionEmbedding, Product, Shader, Step, Uniform, Values,
};
use naga::valid::{Capabilities, ValidationFlags, Validator};

fn parse(shader: Shader) -> naga::Module {
    naga::front::wgsl::parse_str(shader.source())
        .unwrap_or_else(|error| panic!("{}", error.emit_to_string(shader.source())))
}

/// Names and offsets of the uniform block's members.
fn block(module: &naga::Module) -> Vec<(String, u32)> {
    let uniforms = module.global_variables.iter().map(|(_, variable)| variable);
    let mut uniforms = uniforms.filter(|variable| variable.space == naga::AddressSpace::Uniform);
    let uniform = uniforms.next().unwrap();
    assert!(uniforms.next().is_none(), "one uniform block a shader");
    let naga::TypeInner::Struct { members, .. } = &module.types[uniform.ty].inner else {
        panic!("a uniform block is a struct")
    };
    members.iter().map(|member| (member.name.clone().unwrap(), member.offset)).collect()
}

fn rust_block<U: Uniform>() -> Vec<(String, u32)> {
    (0..).step_by(4).zip(U::FIELDS).map(|(offset, &name)| (name.to_owned(), offset)).collect()
}

#[test]
fn every_shader_is_valid_within_default_limits() {
    for shader in Shader::ALL {
        let module = parse(shader);
        // No capability beyond what every WebGPU device has.
        let mut validator = Validator::new(ValidationFlags::all(), Capabilities::empty());
        validator.validate(&module).unwrap_or_else(|error| panic!("{shader:?}: {error:?}"));
        let storage = module
            .global_variables
            .iter()
            .filter(|(_, variable)| matches!(variable.space, naga::AddressSpace::Storage { .. }));
        assert!(storage.count() <= 8, "{shader:?} has more storage buffers than every device binds");
    }
}

#[test]
fn every_uniform_block_lies_as_rust_writes_it() {
    let written = [
        (Shader::Draw, rust_block::<Draw>()),
        (Shader::Matrix, rust_block::<Product>()),
        (Shader::Conv2d, rust_block::<Conv2d>()),
        (Shader::MaxPool2d, rust_block::<MaxPool2d>()),
        (Shader::AveragePool2d, rust_block::<AveragePool2d>()),
        (Shader::GroupNorm, rust_block::<GroupNorm>()),
        (Shader::LayerNorm, rust_block::<LayerNorm>()),
        (Shader::Embedding, rust_block::<Embedding>()),
        (Shader::PositionEmbedding, rust_block::<PositionEmbedding>()),
        (Shader::Attention, rust_block::<Attention>()),
        (Shader::Activation, rust_block::<Values>()),
        (Shader::Add, rust_block::<Values>()),
        (Shader::Statistics, rust_block::<Batch>()),
        (Shader::Noise, rust_block::<Noise>()),
        (Shader::Epoch, rust_block::<Epoch>()),
        (Shader::Optimizer, rust_block::<Step>()),
    ];
    assert_eq!(written.len(), Shader::ALL.len());
    for (shader, fields) in written {
        assert_eq!(block(&parse(shader)), fields, "{shader:?}");
    }
}

#[test]
fn a_swapped_field_is_noticed() {
    let mut fields = rust_block::<Draw>();
    fields.swap(0, 1);
    assert_ne!(block(&parse(Shader::Draw)), fields);
}
