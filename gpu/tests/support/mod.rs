//! What several tests need. Not every one of them needs all of it.
#![allow(dead_code, clippy::unwrap_used, clippy::cast_possible_truncation)]

pub(crate) mod program;
pub(crate) mod screen;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use adadagrad_core::owned::SharedDataset;
use adadagrad_gpu::dataset::Images;
use adadagrad_gpu::webgpu::{Gpu, GpuError};

pub(crate) const SIDE: usize = 28;

/// The fastest device, or `None` with a word about it where there is no adapter.
pub(crate) fn device() -> Option<Gpu> {
    match pollster::block_on(Gpu::open(None)) {
        Ok(gpu) => Some(gpu),
        Err(GpuError::NoAdapter(why)) => {
            assert!(std::env::var("REQUIRE_GPU").as_deref() != Ok("1"), "no GPU adapter: {why}");
            eprintln!("skipped: no GPU adapter: {why}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// IDX bytes of `len` images and their labels: each class has its own bright stripes, in noise.
pub(crate) fn idx(len: u32, seed: u32) -> [Vec<u8>; 2] {
    let mut images = vec![0, 0, 8, 3];
    for size in [len, SIDE as u32, SIDE as u32] {
        images.extend(size.to_be_bytes());
    }
    let mut labels = vec![0, 0, 8, 1];
    labels.extend(len.to_be_bytes());
    let mut random = seed.wrapping_mul(2_654_435_761) | 1;
    let mut next = || {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        random >> 24
    };
    for _ in 0..len {
        let label = next() % 10;
        labels.push(label as u8);
        for pixel in 0..SIDE * SIDE {
            let stripe = (pixel / SIDE + 2 * pixel) % 10 == label as usize;
            images.push((next() / 2 + if stripe { 120 } else { 0 }) as u8);
        }
    }
    [images, labels]
}

/// Such images in memory.
pub(crate) fn images(len: u32, seed: u32) -> SharedDataset {
    let [images, labels] = idx(len, seed);
    Arc::new(Images::parse(images.into(), labels.into(), [SIDE as u32; 2], 10).unwrap())
}

/// Such images as files named like MNIST's: 300 to learn from, 100 to test on.
pub(crate) fn write_data(folder: &Path) {
    for (name, len, seed) in [("train", 300, 1), ("t10k", 100, 2)] {
        let [images, labels] = idx(len, seed);
        fs::write(folder.join(format!("{name}-images-idx3-ubyte")), images).unwrap();
        fs::write(folder.join(format!("{name}-labels-idx1-ubyte")), labels).unwrap();
    }
}
