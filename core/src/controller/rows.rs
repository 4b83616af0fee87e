//! Settings that several rules share.

use super::MOST_IN_WINDOW;
use crate::noise_scale::Sensor;
use crate::settings::{Field, Range};

/// What running averages keep.
pub(super) const EMA: Field =
    Field::new("decay of the averages", "The decay factor of the running averages per step.")
        .range(Range::BELOW_ONE)
        .retunable();

/// k of rules that act after every k epochs.
pub(super) const EVERY_EPOCHS: Field =
    Field::new("epochs between changes", "The number of epochs between two changes.")
        .range(Range::at_least(1))
        .retunable()
        .placeholder("EPOCHS");

/// Where a schedule would act.
pub(super) const MILESTONES: Field = Field::new(
    "milestones",
    "The numbers of samples seen at which the learning rate would be cut, such as 60K 120K 240K.",
)
.text("60K 120K 240K", &[])
.retunable()
.placeholder("SAMPLES");

/// c.
pub(super) const SCALE: Field =
    Field::new("scale", "The factor by which the size is multiplied.").range(Range::POSITIVE).retunable();

/// How the noise scale is measured. Another one needs other statistics, so that it stays during a run.
pub(super) const SENSOR: Field = Field::new(
    "noise scale",
    "How the noise scale is measured: plain, with gradients divided by the root of the optimizer's second moments, or \
     from signs.",
)
.text("plain", Sensor::NAMES);

/// k of a window.
pub(super) const WINDOW: Field =
    Field::new("window", "The smallest of this number of required sizes is used; 1 for no window.")
        .range(Range::whole(1, MOST_IN_WINDOW as u64))
        .retunable()
        .placeholder("STEPS");

/// When its smallest is taken. The default is each rule's own.
pub(super) const WINDOW_KIND: Field =
    Field::new("kind of window", "Whether the smallest is taken at every step, or once per full window.")
        .retunable();
