//! What the tests of several packages share: comparisons that a NaN fails, the reference numbers, naive
//! oracles, small data sets, and the bodies of the fuzz targets. The tests themselves are in `tests/suite`.

pub mod by_hand;
pub mod coloured;
pub mod compare;
pub mod deep;
pub mod engine;
pub mod fuzz;
pub mod golden;
mod golden_batch;
pub mod mnist;
pub mod problems;
pub mod reference;
pub mod rules;
pub mod table;
pub mod tape;
pub mod thresholds;
pub mod tiny;
