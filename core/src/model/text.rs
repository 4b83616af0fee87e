//! Models as text: the same in settings, files, URLs, flags and telemetry.

use core::fmt;
use core::str::FromStr;

use super::{Model, mlp, resnet, transformer};
use crate::digest::Digest;

/// What may be given.
const NAMES: &str = "logistic, mlp, mlp-HIDDEN, cnn, cifar-cnn, resnet-DEPTH, resnet-DEPTH-WIDTH, resnet18, \
                     resnet18-WIDTH, transformer or transformer-LAYERS-HEADS-WIDTH (DEPTH is 8, 14, 20, 32 or 56, WIDTH at \
                     most 4096, or 16384 and a multiple of HEADS, LAYERS at most 96)";

/// A text that names no model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAModel {
    /// There is no such model.
    Unknown,
    /// There is one, but its name is written in another way: sizes without leading zeros, and only where they are not
    /// the usual ones, so that equal models have equal names.
    Spelling(Model),
}

impl fmt::Display for NotAModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => write!(f, "expected one of {NAMES}"),
            Self::Spelling(model) => write!(f, "expected {model}, as this model is written"),
        }
    }
}

impl core::error::Error for NotAModel {}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Logistic => f.pad("logistic"),
            Self::Mlp { hidden: mlp::HIDDEN } => f.pad("mlp"),
            Self::Mlp { hidden } => write!(f, "mlp-{hidden}"),
            Self::Cnn => f.pad("cnn"),
            Self::CifarCnn => f.pad("cifar-cnn"),
            Self::ResNet { depth, width: resnet::WIDTH } => write!(f, "resnet-{depth}"),
            Self::ResNet { depth, width } => write!(f, "resnet-{depth}-{width}"),
            Self::ResNet18 { width: resnet::WIDTH_18 } => f.pad("resnet18"),
            Self::ResNet18 { width } => write!(f, "resnet18-{width}"),
            Self::TRANSFORMER => f.pad("transformer"),
            Self::Transformer { layers, heads, width } => write!(f, "transformer-{layers}-{heads}-{width}"),
            Self::Own { digest } => write!(f, "own-{digest}"),
        }
    }
}

/// The inverse of [`Display`](fmt::Display).
impl FromStr for Model {
    type Err = NotAModel;

    fn from_str(text: &str) -> Result<Self, NotAModel> {
        let model = parse(text).ok_or(NotAModel::Unknown)?;
        let mut rest = Rest(text);
        match fmt::write(&mut rest, format_args!("{model}")) {
            Ok(()) if rest.0.is_empty() => Ok(model),
            _ => Err(NotAModel::Spelling(model)),
        }
    }
}

/// The model, also where it is spelled in another way.
fn parse(text: &str) -> Option<Model> {
    let (family, sizes) = text.split_once('-').map_or((text, None), |(family, sizes)| (family, Some(sizes)));
    match (family, sizes) {
        ("logistic", None) => Some(Model::Logistic),
        ("mlp", None) => Some(Model::MLP),
        ("mlp", Some(hidden)) => Some(Model::Mlp { hidden: size(hidden, u32::MAX)? }),
        ("cnn", None) => Some(Model::Cnn),
        ("cifar", Some("cnn")) => Some(Model::CifarCnn),
        ("resnet", Some(sizes)) => {
            let (depth, width) =
                sizes.split_once('-').map_or((sizes, None), |(depth, width)| (depth, Some(width)));
            let depth = size(depth, u32::MAX).filter(|depth| Model::DEPTHS.contains(depth))?;
            let width = width.map_or(Some(resnet::WIDTH), |width| size(width, resnet::MOST_WIDTH))?;
            Some(Model::ResNet { depth, width })
        }
        ("resnet18", None) => Some(Model::ResNet18 { width: resnet::WIDTH_18 }),
        ("resnet18", Some(width)) => Some(Model::ResNet18 { width: size(width, resnet::MOST_WIDTH)? }),
        ("transformer", None) => Some(Model::TRANSFORMER),
        ("transformer", Some(sizes)) => {
            let mut sizes = sizes.split('-');
            let mut next = |most| sizes.next().and_then(|text| size(text, most));
            let (layers, heads) = (next(transformer::MOST_LAYERS)?, next(transformer::MOST_WIDTH)?);
            let width = next(transformer::MOST_WIDTH)?;
            sizes.next().is_none().then_some(Model::Transformer { layers, heads, width })
        }
        ("own", Some(digest)) => Some(Model::Own { digest: digest.parse::<Digest>().ok()? }),
        _ => None,
    }
}

fn size(text: &str, most: u32) -> Option<u32> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|size| is_number && (1..=most).contains(size))
}

/// What is left of a text that is written again.
struct Rest<'t>(&'t str);

impl fmt::Write for Rest<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 = self.0.strip_prefix(text).ok_or(fmt::Error)?;
        Ok(())
    }
}

#[cfg(feature = "serde")]
mod serialised {
    use alloc::format;

    use serde::{Serialize, Serializer};

    use super::{Model, NAMES, NotAModel};
    use crate::fields::{Fault, Setting, Value, one_of};

    impl Serialize for Model {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_str(self)
        }
    }

    impl Setting for Model {
        fn of(value: Value) -> Result<Self, Fault> {
            one_of(value, |error| match error {
                Some(NotAModel::Spelling(model)) => format!("{model}, as this model is written"),
                Some(NotAModel::Unknown) | None => format!("one of {NAMES}"),
            })
        }
    }

    crate::fields::deserialize_setting!(Model);
}
