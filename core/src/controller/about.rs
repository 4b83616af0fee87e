//! Rules in words, for lists of them.

/// What a rule is, in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct About {
    /// What settings call it.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// Where it comes from.
    pub source: &'static str,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// What it decides from, in a few words.
    pub evidence: &'static str,
}
