/// Which parameters an optimizer's weight decay applies to.
///
/// GPT-2's and nanoGPT's rule is [`Matrices`](Self::Matrices): γ of a norm should not be drawn to 0, and biases are few.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
pub enum DecayOn {
    /// All of them, as in PyTorch.
    #[default]
    All,
    /// Tensors of two or more dimensions: the weights of dense layers, convolutions and embeddings. Biases, and γ and β of
    /// norms, do not decay.
    Matrices,
}

#[cfg(feature = "serde")]
crate::fields::name_setting!(DecayOn { All, Matrices });

impl DecayOn {
    /// Their names in settings.
    pub const NAMES: &'static [&'static str] = &[Self::All.name(), Self::Matrices.name()];

    /// Its name in settings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Matrices => "matrices",
        }
    }
}
