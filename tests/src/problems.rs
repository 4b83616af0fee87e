//! Test functions to minimise.
