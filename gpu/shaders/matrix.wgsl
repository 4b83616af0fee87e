// Dense layers: C [rows, columns] = A B (+ bias) (+ C), any strides, so that one kernel serves the forward
// pass (X Wᵀ), the input gradient (E W) and the weight gradient (Eᵀ X).
//
// Three variants, of which a trial on the adapter picks one. All sum over k in ascending order.
// - `product_registers`: 4×4 of C an invocation; loads 8 values for 16 products.
// - `product_blocks`: 16×16; loads 32 values for 256 products. Far too many sums for a GPU's registers, and fewer
//   invocations than would keep it busy; software minds neither, but takes dozens of instructions for a load.
// - `product_tiles`: 4×4 an invocation, from tiles in workgroup memory that each invocation helps to load.
//
// Operations: 2·rows·columns·inner. Bytes: 4·(rows·inner + inner·columns + rows·columns), where C counts twice
// if it is added to, and the bias once: what must move if every value stays in a cache for as long as it is
// needed. Without one, A moves columns/(columns of a tile) times and B rows/(rows of a tile) times.

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
    // Where the bias begins in B, one value a column, where one is added.
    bias_offset: u32,
}

@group(0) @binding(0) var<uniform> product: Product;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> c: array<f32>;

// The workgroup's shape, and how deep its tiles are.
override GROUP_X: u32 = 8u;
override GROUP_Y: u32 = 8u;
override DEPTH: u32 = 16u;
// Whether A and B are squared value by value.
override SQUARED: bool = false;
// What becomes of a sum, in this order: the bias and what C holds are added, and what is below 0 becomes 0.
override BIAS: bool = false;
override ADD: bool = false;
override RELU: bool = false;

const NEXT = vec4(0u, 1u, 2u, 3u);

fn squared(values: vec4<f32>) -> vec4<f32> {
    if SQUARED {
        return values * values;
    }
    return values;
}

// Where four rows of A begin. Reading the last row again is cheaper than a branch in the loop.
fn rows_of_a(row: u32) -> vec4<u32> {
    return product.a_offset + min(row + NEXT, vec4(product.rows - 1u)) * product.a_row;
}

fn columns_of_b(column: u32) -> vec4<u32> {
    return product.b_offset + min(column + NEXT, vec4(product.columns - 1u)) * product.b_column;
}

fn load_a(at: vec4<u32>) -> vec4<f32> {
    return squared(vec4(a[at.x], a[at.y], a[at.z], a[at.w]));
}

fn load_b(at: vec4<u32>) -> vec4<f32> {
    return squared(vec4(b[at.x], b[at.y], b[at.z], b[at.w]));
}

fn store(row: u32, column: u32, sum: f32) {
    if row >= product.rows || column >= product.columns {
        return;
    }
    let place = product.c_offset + row * product.c_row + column;
    var value = sum;
    if BIAS {
        value += b[product.bias_offset + column];
    }
    if ADD {
        value += c[place];
    }
    if RELU {
        value = select(value, 0.0, value < 0.0);
    }
    c[place] = value;
}

fn store_block(row: u32, column: u32, sums: mat4x4<f32>) {
    for (var j = 0u; j < 4u; j++) {
        store(row, column + j, sums[0][j]);
        store(row + 1u, column + j, sums[1][j]);
        store(row + 2u, column + j, sums[2][j]);
        store(row + 3u, column + j, sums[3][j]);
    }
}

@compute @workgroup_size(GROUP_X, GROUP_Y)
fn product_registers(@builtin(global_invocation_id) id: vec3<u32>) {
    let row = id.y * 4u;
    let column = id.x * 4u;
    if row >= product.rows || column >= product.columns {
        return;
    }
    var at_a = rows_of_a(row);
    var at_b = columns_of_b(column);
    var sums = mat4x4<f32>();
    for (var k = 0u; k < product.inner; k++) {
        let left = load_a(at_a);
        let right = load_b(at_b);
        sums[0] += left.x * right;
        sums[1] += left.y * right;
        sums[2] += left.z * right;
        sums[3] += left.w * right;
        at_a += product.a_inner;
        at_b += product.b_inner;
    }
    store_block(row, column, sums);
}

// Adds a column of A times a row of B. `sums` by rows.
fn add_outer(sums: ptr<function, mat4x4<f32>>, left: vec4<f32>, right: vec4<f32>) {
    (*sums)[0] += left.x * right;
    (*sums)[1] += left.y * right;
    (*sums)[2] += left.z * right;
    (*sums)[3] += left.w * right;
}

// Arrays of these, with indices that are not known when compiled, would cost software more than the products.
@compute @workgroup_size(GROUP_X, GROUP_Y)
fn product_blocks(@builtin(global_invocation_id) id: vec3<u32>) {
    let row = id.y * 16u;
    let column = id.x * 16u;
    if row >= product.rows || column >= product.columns {
        return;
    }
    var at_a0 = rows_of_a(row);
    var at_a1 = rows_of_a(row + 4u);
    var at_a2 = rows_of_a(row + 8u);
    var at_a3 = rows_of_a(row + 12u);
    var at_b0 = columns_of_b(column);
    var at_b1 = columns_of_b(column + 4u);
    var at_b2 = columns_of_b(column + 8u);
    var at_b3 = columns_of_b(column + 12u);
    var sums00 = mat4x4<f32>();
    var sums01 = mat4x4<f32>();
    var sums02 = mat4x4<f32>();
    var sums03 = mat4x4<f32>();
    var sums10 = mat4x4<f32>();
    var sums11 = mat4x4<f32>();
    var sums12 = mat4x4<f32>();
    var sums13 = mat4x4<f32>();
    var sums20 = mat4x4<f32>();
    var sums21 = mat4x4<f32>();
    var sums22 = mat4x4<f32>();
    var sums23 = mat4x4<f32>();
    var sums30 = mat4x4<f32>();
    var sums31 = mat4x4<f32>();
    var sums32 = mat4x4<f32>();
    var sums33 = mat4x4<f32>();
    for (var k = 0u; k < product.inner; k++) {
        let a0 = load_a(at_a0);
        let a1 = load_a(at_a1);
        let a2 = load_a(at_a2);
        let a3 = load_a(at_a3);
        let b0 = load_b(at_b0);
        let b1 = load_b(at_b1);
        let b2 = load_b(at_b2);
        let b3 = load_b(at_b3);
        add_outer(&sums00, a0, b0);
        add_outer(&sums01, a0, b1);
        add_outer(&sums02, a0, b2);
        add_outer(&sums03, a0, b3);
        add_outer(&sums10, a1, b0);
        add_outer(&sums11, a1, b1);
        add_outer(&sums12, a1, b2);
        add_outer(&sums13, a1, b3);
        add_outer(&sums20, a2, b0);
        add_outer(&sums21, a2, b1);
        add_outer(&sums22, a2, b2);
        add_outer(&sums23, a2, b3);
        add_outer(&sums30, a3, b0);
        add_outer(&sums31, a3, b1);
        add_outer(&sums32, a3, b2);
        add_outer(&sums33, a3, b3);
        at_a0 += product.a_inner;
        at_a1 += product.a_inner;
        at_a2 += product.a_inner;
        at_a3 += product.a_inner;
        at_b0 += product.b_inner;
        at_b1 += product.b_inner;
        at_b2 += product.b_inner;
        at_b3 += product.b_inner;
    }
    store_block(row, column, sums00);
    store_block(row, column + 4u, sums01);
    store_block(row, column + 8u, sums02);
    store_block(row, column + 12u, sums03);
    store_block(row + 4u, column, sums10);
    store_block(row + 4u, column + 4u, sums11);
    store_block(row + 4u, column + 8u, sums12);
    store_block(row + 4u, column + 12u, sums13);
    store_block(row + 8u, column, sums20);
    store_block(row + 8u, column + 4u, sums21);
    store_block(row + 8u, column + 8u, sums22);
    store_block(row + 8u, column + 12u, sums23);
    store_block(row + 12u, column, sums30);
    store_block(row + 12u, column + 4u, sums31);
    store_block(row + 12u, column + 8u, sums32);
    store_block(row + 12u, column + 12u, sums33);
}

// [k][row] and [k][column]. Four values of padding spread the columns that are written over the banks.
var<workgroup> tile_a: array<f32, DEPTH * (4u * GROUP_Y + 4u)>;
var<workgroup> tile_b: array<f32, DEPTH * (4u * GROUP_X + 4u)>;

// Where in a tile of `width` rows or columns the i-th value that the workgroup loads belongs: (k, place).
// Neighbours load what lies side by side in memory.
fn place_in_tile(i: u32, width: u32, inner_stride: u32) -> vec2<u32> {
    if inner_stride == 1u {
        return vec2(i % DEPTH, i / DEPTH);
    }
    return vec2(i / width, i % width);
}

fn tile_of_a(k: u32, row: u32) -> f32 {
    if k >= product.inner || row >= product.rows {
        return 0.0;
    }
    let value = a[product.a_offset + row * product.a_row + k * product.a_inner];
    return squared(vec4(value)).x;
}

fn tile_of_b(k: u32, column: u32) -> f32 {
    if k >= product.inner || column >= product.columns {
        return 0.0;
    }
    let value = b[product.b_offset + k * product.b_inner + column * product.b_column];
    return squared(vec4(value)).x;
}

@compute @workgroup_size(GROUP_X, GROUP_Y)
fn product_tiles(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let rows = 4u * GROUP_Y;
    let columns = 4u * GROUP_X;
    let first_row = group.y * rows;
    let first_column = group.x * columns;
    var sums = mat4x4<f32>();
    for (var first = 0u; first < product.inner; first += DEPTH) {
        for (var i = index; i < DEPTH * rows; i += GROUP_X * GROUP_Y) {
            let at = place_in_tile(i, rows, product.a_inner);
            tile_a[at.x * (rows + 4u) + at.y] = tile_of_a(first + at.x, first_row + at.y);
        }
        for (var i = index; i < DEPTH * columns; i += GROUP_X * GROUP_Y) {
            let at = place_in_tile(i, columns, product.b_inner);
            tile_b[at.x * (columns + 4u) + at.y] = tile_of_b(first + at.x, first_column + at.y);
        }
        workgroupBarrier();
        for (var k = 0u; k < DEPTH; k++) {
            let at_a = k * (rows + 4u) + 4u * local.y;
            let at_b = k * (columns + 4u) + 4u * local.x;
            let right = vec4(tile_b[at_b], tile_b[at_b + 1u], tile_b[at_b + 2u], tile_b[at_b + 3u]);
            sums[0] += tile_a[at_a] * right;
            sums[1] += tile_a[at_a + 1u] * right;
            sums[2] += tile_a[at_a + 2u] * right;
            sums[3] += tile_a[at_a + 3u] * right;
        }
        workgroupBarrier();
    }
    store_block(first_row + 4u * local.y, first_column + 4u * local.x, sums);
}
