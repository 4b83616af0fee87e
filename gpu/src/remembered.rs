//! Which kernel variants are fastest on which adapter, remembered between runs in the user's cache folder.
//!
//! A file that is missing, broken or cannot be written means another trial, never an error.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::output_file;
use crate::webgpu::{Choice, Gpu, GpuError, Opening, Profile, choose};

/// Which adapter is opened.
#[derive(Clone, Debug, Default)]
pub struct AdapterWish {
    /// Part of its name; `None`: the fastest.
    pub name: Option<String>,
    /// Of several ranks of a cluster, the number of this one among those of its machine.
    pub local_rank: Option<usize>,
}

impl AdapterWish {
    async fn open(&self) -> Result<Gpu, GpuError> {
        let name = self.name.as_deref();
        match self.local_rank {
            None => Gpu::open(name).await,
            Some(rank) => Gpu::open_for_rank(name, rank).await,
        }
    }
}

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
    pub async fn open(&self, wish: &AdapterWish) -> Result<Gpu, GpuError> {
        let gpu = wish.open().await?;
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
    wish: AdapterWish,
    profile: Option<Profile>,
) -> impl Fn() -> Opening + Send + 'static {
    let first = Arc::new(Mutex::new(None));
    move || {
        let (remembered, wish, profile, first) =
            (remembered.clone(), wish.clone(), profile.clone(), Arc::clone(&first));
        Box::pin(async move {
            let known = *first.lock().unwrap_or_else(PoisonError::into_inner);
            let gpu = match known {
                Some(variants) => wish.open().await?.with_variants(variants),
                None => remembered.open(&wish).await?,
            };
            *first.lock().unwrap_or_else(PoisonError::into_inner) = Some(gpu.variants());
            Ok(match profile {
                Some(profile) => gpu.with_profile(profile),
                None => gpu,
            })
        })
    }
}
