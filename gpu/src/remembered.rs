//! Which kernel variants are fastest on which adapter, remembered between runs in the user's cache folder.
//!
//! A file that is missing, broken or cannot be written means another trial, never an error.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::output_file;
use crate::webgpu::{Choice, Gpu, GpuError, Opening, Profile, choose};

/// A file of choices, one per adapter.
#[derive(Clone, Debug)]
pub struct Remembered {
    file: Option<PathBuf>,
}

impl Remembered {
    /// In the user's cache folder, if there is one: `~/.cache` (or `XDG_CACHE_HOME`), `~/Library/Caches` or
    /// `%LOCALAPPDATA%`.
    #[must_use]
    pub fn in_cache() -> Self {
        Self { file: dirs::cache_dir().map(|folder| folder.join("adadagrad").join("kernels.json")) }
    }

    /// In this file.
    #[must_use]
    pub fn at(file: &Path) -> Self {
        Self { file: Some(file.to_owned()) }
    }

    fn choices(&self) -> Vec<Choice> {
        let text = self.file.as_ref().and_then(|file| fs::read_to_string(file).ok());
        // What another version wrote, or nobody can read, is as good as nothing.
        text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
    }

    /// What was chosen for this device, if it was.
    #[must_use]
    pub fn find(&self, gpu: &Gpu) -> Option<Choice> {
        self.choices().into_iter().find(|choice| choice.fits(gpu))
    }

    /// Remembers a choice, and replaces an earlier one for the same adapter.
    pub fn store(&self, choice: &Choice) {
        let Some(file) = &self.file else { return };
        let mut choices = self.choices();
        choices.retain(|other| !other.is_for_the_adapter_of(choice));
        choices.push(choice.clone());
        let Ok(text) = serde_json::to_string_pretty(&choices) else { return };
        // Whole or not at all, also when two programs write. Without the file there is another trial.
        let folder = file.parent().map_or(Ok(()), fs::create_dir_all);
        let _ = folder.and_then(|()| output_file::write(file, text.as_bytes()));
    }

    /// Opens a device with the variants that are fastest on it, remembered or tried now.
    ///
    /// # Errors
    /// When there is no device, or it was lost.
    pub async fn open(&self, adapter: Option<&str>) -> Result<Gpu, GpuError> {
        let gpu = Gpu::open(adapter).await?;
        let known = self.find(&gpu);
        let (gpu, choice) = choose(gpu, known.as_ref()).await?;
        if known.is_none() {
            self.store(&choice);
        }
        Ok(gpu)
    }
}

/// Opens devices for [`crate::webgpu::Options`], each time with the variants of the first time: a run that continues
/// after its device was lost continues with the same bits, whether or not they could be remembered.
pub fn opening(
    remembered: Remembered,
    adapter: Option<&str>,
    profile: Option<Profile>,
) -> impl Fn() -> Opening + 'static {
    let adapter = adapter.map(str::to_owned);
    let first = Rc::new(RefCell::new(None));
    move || {
        let (remembered, adapter, profile, first) =
            (remembered.clone(), adapter.clone(), profile.clone(), Rc::clone(&first));
        Box::pin(async move {
            let known = *first.borrow();
            let gpu = match known {
                Some(variants) => Gpu::open(adapter.as_deref()).await?.with_variants(variants),
                None => remembered.open(adapter.as_deref()).await?,
            };
            first.replace(Some(gpu.variants()));
            Ok(match profile {
                Some(profile) => gpu.with_profile(profile),
                None => gpu,
            })
        })
    }
}
