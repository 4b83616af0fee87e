//! Why a rule has changed or kept the batch size, in words.

/// Why a rule has changed the size of a batch or kept it, and its known drawbacks: for programs that display runs.
///
/// The first three are clauses that follow "because". `{field}` stands for a setting of the rule, and `{field:form}`
/// for a setting in a particular form: `percent`; `epochs` ("epoch" for 1, "20 epochs" for 20); `times` (nothing for 1,
/// "2 times " with a space for 2); `noise` (a sensor's noise scale).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    /// The next batch is larger, or this one was extended.
    pub grew: &'static str,
    /// The next batch is smaller.
    pub shrank: &'static str,
    /// The next batch has the size of this one.
    pub kept: &'static str,
    /// Known drawbacks of the rule, as a sentence; empty if there are none.
    pub against: &'static str,
}

impl Words {
    /// Why the batch of a rule shrank that never shrinks one itself.
    pub(super) const LIMITED: &'static str = "the largest batch in the settings was reduced";
    pub(super) const FIXED: &'static str =
        "The growth is fixed before the run and does not depend on the gradients.";
}
