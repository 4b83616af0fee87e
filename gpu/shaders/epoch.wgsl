// Σ gᵢ over an epoch, which is one more slot of the training memory behind the optimizer's (training/memory.rs of the
// core).
//
// Operations and values of four bytes, a parameter: epoch_norm 4 and 2, and 64 at the end; add_to_epoch 2 and 3.

struct Epoch {
    // Parameters.
    count: u32,
    // Where the slot begins in the memory.
    slot: u32,
    // Where epoch_norm leaves its sums.
    place: u32,
    // 2ᵏ, which the batch's gradients are multiplied by (loss_scale.rs), and which the norm then is of.
    scale: f32,
    // Not 0 where an epoch ends with the step: the next one begins at 0.
    ends: u32,
}

@group(0) @binding(0) var<uniform> epoch: Epoch;
@group(0) @binding(1) var<storage, read> gradient_sum: array<f32>;
@group(0) @binding(2) var<storage, read_write> memory: array<f32>;
@group(0) @binding(3) var<storage, read_write> sums: array<f32>;
// Not 0 where a sum of the batch was not finite: the step is then not made.
@group(0) @binding(4) var<storage, read> refused: u32;

var<workgroup> shares: array<f32, 64>;

// ‖Σ gᵢ‖² over the epoch so far, this batch included → sums[place .. place + 64], a share each of 64 workgroups: the
// caller adds them up in a wider type.
@compute @workgroup_size(64)
fn epoch_norm(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    var share = 0.0;
    for (var k = group.x * 64u + local; k < epoch.count; k += 4096u) {
        let sum = epoch.scale * memory[epoch.slot + k] + gradient_sum[k];
        share += sum * sum;
    }
    shares[local] = share;
    workgroupBarrier();
    if local == 0u {
        var sum = 0.0;
        for (var k = 0u; k < 64u; k++) {
            sum += shares[k];
        }
        sums[epoch.place + group.x] = sum;
    }
}

// Without subnormal numbers, as optimizer.wgsl.
fn flushed(x: f32) -> f32 {
    return select(x, 0.0, abs(x) < 0x1p-126f);
}

// A step's batch into the epoch's sum.
@compute @workgroup_size(64)
fn add_to_epoch(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let k = id.x + id.y * groups.x * 64u;
    if k < epoch.count && refused == 0u {
        let sum = memory[epoch.slot + k] + gradient_sum[k] / epoch.scale;
        memory[epoch.slot + k] = select(flushed(sum), 0.0, epoch.ends != 0u);
    }
}
