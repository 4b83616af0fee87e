//! `adadagrad devices`.

use std::process::ExitCode;

use adadagrad_gpu::webgpu::{adapters, is_software};

use crate::Outcome;
use crate::numbers::grouped;
use crate::output;
use crate::table::table;

pub(crate) fn run() -> Outcome {
    let adapters = pollster::block_on(adapters())?;
    if adapters.is_empty() {
        return Err(
            "this machine has no GPU that Vulkan, Metal or DirectX 12 can use: use --device cpu".into()
        );
    }
    let mut rows = vec![
        ["adapter", "kind", "backend", "driver", "largest binding", "storage buffers"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for adapter in adapters {
        let (info, limits) = (adapter.get_info(), adapter.limits());
        let kind = if is_software(&info) { "software".to_owned() } else { format!("{:?}", info.device_type) };
        rows.push(vec![
            info.name,
            kind,
            info.backend.to_string(),
            info.driver,
            format!("{} MiB", grouped(limits.max_storage_buffer_binding_size >> 20)),
            limits.max_storage_buffers_per_shader_stage.to_string(),
        ]);
    }
    output::result(table(&rows));
    Ok(ExitCode::SUCCESS)
}
