//! Kernel times as a table.

use adadagrad_gpu::webgpu::KernelTime;

use crate::numbers::{grouped, significant};
use crate::table::table;

/// One row a kernel, the slowest first; in words where nothing was timed.
pub(crate) fn kernel_table(times: &[KernelTime]) -> String {
    if times.is_empty() {
        return "No kernel times: this device has no timestamps, or no kernel ran on it.\n".to_owned();
    }
    let total: f64 = times.iter().map(|time| time.seconds).sum();
    let head = ["kernel", "calls", "ms", "share", "GFLOP/s", "GB/s"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for time in times {
        rows.push(vec![
            time.kernel.clone(),
            grouped(time.calls),
            significant(1e3 * time.seconds),
            format!("{:.1} %", 100.0 * time.seconds / total),
            significant(time.gflops()),
            significant(time.gbytes()),
        ]);
    }
    table(&rows)
}
