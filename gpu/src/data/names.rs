//! Recognises the files of a data set by their names.
//!
//! A name is, in this order: the set, where there are several in one place (`emnist-letters`, `qmnist`); `train`, `t10k`
//! or `test`; `images` or `labels`; and words that say the format (`idx3`, `ubyte`). They are joined by `-`, `_` or `.`,
//! and `.gz` may follow.

use std::collections::BTreeMap;

/// One of a data set's four files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// What is learned from.
    TrainingImages,
    /// Their classes.
    TrainingLabels,
    /// What accuracy is measured on.
    TestImages,
    /// Their classes.
    TestLabels,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::TrainingImages, Self::TrainingLabels, Self::TestImages, Self::TestLabels];

    /// The name of MNIST's file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TrainingImages => "train-images-idx3-ubyte",
            Self::TrainingLabels => "train-labels-idx1-ubyte",
            Self::TestImages => "t10k-images-idx3-ubyte",
            Self::TestLabels => "t10k-labels-idx1-ubyte",
        }
    }

    /// The set that a file belongs to (empty where its name does not say), and which part of it it is.
    pub(super) fn of(file_name: &str) -> Option<(String, Self)> {
        let name = file_name.to_ascii_lowercase();
        let words: Vec<&str> = name.strip_suffix(".gz").unwrap_or(&name).split(['-', '_', '.']).collect();
        let split = words.iter().position(|word| SPLITS.contains(word))?;
        let is_training = words[split] == SPLITS[0];
        let part = match (words.get(split + 1), is_training) {
            (Some(&"images"), true) => Self::TrainingImages,
            (Some(&"images"), false) => Self::TestImages,
            (Some(&"labels"), true) => Self::TrainingLabels,
            (Some(&"labels"), false) => Self::TestLabels,
            _ => return None,
        };
        let is_idx = words[split + 2..].iter().all(|word| FORMATS.contains(word));
        is_idx.then(|| (words[..split].join("-"), part))
    }
}

/// Whether a file is compressed, by its name. If a file exists in both forms, the uncompressed one is used.
#[must_use]
pub fn is_packed(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with(".gz")
}

const SPLITS: [&str; 4] = ["train", "t10k", "test", "test10k"];
const FORMATS: [&str; 6] = ["idx", "idx1", "idx2", "idx3", "ubyte", "int"];

/// The files of one data set, as far as they are there. `T` is where a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedFiles<T> {
    /// What their names begin with, or nothing.
    pub set: String,
    parts: Parts<T>,
}

/// In the order of [`Part::ALL`].
type Parts<T> = [Option<T>; Part::ALL.len()];

impl<T> NamedFiles<T> {
    /// Where a part is.
    #[must_use]
    pub fn get(&self, part: Part) -> Option<&T> {
        self.parts[part as usize].as_ref()
    }

    /// The places of all parts that were found.
    pub fn found(&self) -> impl Iterator<Item = &T> {
        self.parts.iter().flatten()
    }

    /// The names of the missing parts.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        let missing = Part::ALL.into_iter().filter(|&part| self.get(part).is_none());
        let name = |part: Part| match &*self.set {
            "" => part.name().to_owned(),
            "qmnist" => {
                format!("qmnist-{}", part.name().replace("t10k", "test").replace("idx1-ubyte", "idx2-int"))
            }
            set => format!("{set}-{}", part.name().replace("t10k", "test")),
        };
        missing.map(name).collect()
    }

    /// Whether there are training data but no test data.
    #[must_use]
    pub fn lacks_test_set(&self) -> bool {
        matches!(self.parts, [Some(_), Some(_), None, None])
    }

    /// Whether all four are there.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.parts.iter().all(Option::is_some)
    }

    /// Whether the images are stored transposed, as EMNIST's are.
    #[must_use]
    pub fn lie_on_their_sides(&self) -> bool {
        self.set.starts_with("emnist")
    }
}

/// The files of several data sets that are in one place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamedSets<T>(BTreeMap<String, Parts<T>>);

impl<T> NamedSets<T> {
    /// Finds the files of data sets among others, by their names. If a part is found twice, the first one is used.
    pub fn among<N: AsRef<str>>(files: impl IntoIterator<Item = (N, T)>) -> Self {
        let mut sets = BTreeMap::<_, Parts<T>>::new();
        for (name, place) in files {
            if let Some((set, part)) = Part::of(name.as_ref()) {
                sets.entry(set).or_default()[part as usize].get_or_insert(place);
            }
        }
        Self(sets)
    }

    /// Whether no file of a data set was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The set with this name; with an empty one, the set without a name.
    pub fn take(&mut self, set: &str) -> Option<NamedFiles<T>> {
        self.0.remove_entry(set).map(|(set, parts)| NamedFiles { set, parts })
    }

    /// The set without a name, else the only whole one, else the one that lacks least.
    ///
    /// # Errors
    /// The names of the whole sets, of which one must be chosen; none where there is no set at all.
    pub fn choose(mut self) -> Result<NamedFiles<T>, Vec<String>> {
        let count = |parts: &Parts<T>| parts.iter().flatten().count();
        let is_whole = |(_, parts): &(&String, &Parts<T>)| count(parts) == Part::ALL.len();
        let mut names: Vec<String> = self.0.iter().filter(is_whole).map(|(name, _)| name.clone()).collect();
        if self.0.contains_key("") {
            names = vec![String::new()];
        } else if names.is_empty() {
            names.extend(self.0.iter().max_by_key(|(_, parts)| count(parts)).map(|(name, _)| name.clone()));
        }
        let only = if let [only] = &names[..] { self.take(only) } else { None };
        only.ok_or(names)
    }
}
