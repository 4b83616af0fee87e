// Dense layers: C [rows, columns] = A B (+ bias) (+ C), any strides, so that one kernel serves the forward
// pass (X Wᵀ), the input gradient (E W) and the weight gradient (Eᵀ X).
//
// 2·rows·columns·inner operations. Each invocation loads 8 values for 16 products: A travels columns/4 times
// through the caches, B rows/4 times, C once.

struct Product {
    rows: u32,
    columns: u32,
    inner: u32,
    a_offset: u32,
    a_row: u32,
    a_inner: u32,
    b_offset: u32,
    b_inner: u32,
    b_column: u32,
    c_offset: u32,
    // Row stride of C; its columns lie side by side.
    c_row: u32,
    // Where the bias begins in B, one value a column, if bit 0 of `flags` is set.
    bias_offset: u32,
    // 1: add the bias; 2: add to C; 4: ReLU; 8: A and B are squared value by value.
    flags: u32,
}

@group(0) @binding(0) var<uniform> product: Product;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> c: array<f32>;

const BIAS = 1u;
const ADD = 2u;
const RELU = 4u;
const SQUARE = 8u;

fn load_a(row: u32, k: u32) -> f32 {
    let value = a[product.a_offset + row * product.a_row + k * product.a_inner];
    return select(value, value * value, (product.flags & SQUARE) != 0u);
}

fn load_b(k: u32, column: u32) -> f32 {
    let value = b[product.b_offset + k * product.b_inner + column * product.b_column];
    return select(value, value * value, (product.flags & SQUARE) != 0u);
}

fn store(row: u32, column: u32, sum: f32) {
    if row >= product.rows || column >= product.columns {
        return;
    }
    let place = product.c_offset + row * product.c_row + column;
    var value = sum;
    if (product.flags & BIAS) != 0u {
        value += b[product.bias_offset + column];
    }
    if (product.flags & ADD) != 0u {
        value += c[place];
    }
    if (product.flags & RELU) != 0u {
        value = select(value, 0.0, value < 0.0);
    }
    c[place] = value;
}

// Each invocation a 4×4 block of C in registers; no barrier, which software adapters run slowly.
@compute @workgroup_size(8, 8)
fn product_registers(@builtin(global_invocation_id) id: vec3<u32>) {
    let row = id.y * 4u;
    let column = id.x * 4u;
    if row >= product.rows || column >= product.columns {
        return;
    }
    // Reading the last row or column again is cheaper than a branch in the loop.
    let rows = min(vec4(row, row + 1u, row + 2u, row + 3u), vec4(product.rows - 1u));
    let columns = min(vec4(column, column + 1u, column + 2u, column + 3u), vec4(product.columns - 1u));
    var sums = mat4x4<f32>();
    for (var k = 0u; k < product.inner; k++) {
        let left = vec4(load_a(rows.x, k), load_a(rows.y, k), load_a(rows.z, k), load_a(rows.w, k));
        let right = vec4(load_b(k, columns.x), load_b(k, columns.y), load_b(k, columns.z), load_b(k, columns.w));
        sums[0] += left.x * right;
        sums[1] += left.y * right;
        sums[2] += left.z * right;
        sums[3] += left.w * right;
    }
    for (var i = 0u; i < 4u; i++) {
        for (var j = 0u; j < 4u; j++) {
            store(row + i, column + j, sums[i][j]);
        }
    }
}
