//! Folders of PNG and JPEG images: `train/CLASS/…` and `test/CLASS/…`.
//!
//! Classes are the folders' names, sorted, and numbered in this order; images are sorted by name within a class. All
//! images have one size, or are brought to one. If all are grey, they have one channel, else three; transparency is left
//! out, and 16 bits become 8.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;

use adadagrad_core::network::Shape;
use adadagrad_core::owned::threads::available_threads;
use image::imageops::FilterType;
use image::{DynamicImage, ImageDecoder, ImageError, ImageReader};

use super::error::HOLD_OUT;
use super::hold_out::{Test, hold_out};
use super::{DataError, Kind, Options, Splits};
use crate::dataset::Images;

/// The folders of the two halves; the test images are in the first of theirs that is there.
const TRAINING: &str = "train";
const TEST: [&str; 2] = ["test", "val"];
/// What names of image files end with.
const EXTENSIONS: [&str; 3] = ["png", "jpg", "jpeg"];
/// Labels are bytes.
const MOST_CLASSES: usize = 256;

/// What is wrong with folders of images.
#[derive(Debug)]
pub enum ImageFolderError {
    /// There is no folder of test images.
    NoTest {
        /// Where it would be.
        folder: PathBuf,
    },
    /// A folder that cannot be read.
    Read {
        /// Which.
        folder: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A folder in which there should be a folder for each class.
    NoClasses {
        /// Which.
        folder: PathBuf,
    },
    /// A class without an image.
    EmptyClass {
        /// Its folder.
        folder: PathBuf,
    },
    /// More classes than fit a byte.
    TooManyClasses {
        /// Where.
        folder: PathBuf,
        /// How many.
        found: usize,
    },
    /// The classes of the two halves differ.
    OtherClasses {
        /// Where.
        folder: PathBuf,
        /// Names of those that only the training images have.
        only_training: Vec<String>,
        /// Names of those that only the test images have.
        only_test: Vec<String>,
    },
    /// An image that cannot be read.
    Image {
        /// Which.
        file: PathBuf,
        /// Why.
        error: ImageError,
    },
    /// An image of another size than the first.
    Size {
        /// Which.
        file: PathBuf,
        /// Its rows and columns.
        found: [u32; 2],
        /// The first.
        first: PathBuf,
        /// Rows and columns of the first.
        expected: [u32; 2],
    },
    /// More pixels than memory holds, or more images than can be counted.
    TooLarge {
        /// Where.
        folder: PathBuf,
        /// How many images.
        images: usize,
        /// The shape of each.
        shape: Shape,
    },
}

impl fmt::Display for ImageFolderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTest { folder } => write!(
                f,
                "{} has images to learn from in {TRAINING}, but no folder {}: move some images of each class there, \
                 into folders with the same names, or {HOLD_OUT}",
                folder.display(),
                TEST[0]
            ),
            Self::Read { folder, error } => write!(f, "{}: {error}", folder.display()),
            Self::NoClasses { folder } => {
                write!(f, "{}: there are no images: it needs a folder for each class", folder.display())
            }
            Self::EmptyClass { folder } => {
                write!(f, "{}: this class has no image ({})", folder.display(), EXTENSIONS.join(", "))
            }
            Self::TooManyClasses { folder, found } => {
                write!(
                    f,
                    "{}: there are {found} classes, but at most {MOST_CLASSES} are supported",
                    folder.display()
                )
            }
            Self::OtherClasses { folder, only_training, only_test } => {
                write!(f, "{}: the classes of the training and the test images differ: ", folder.display())?;
                let only = |f: &mut fmt::Formatter<'_>, which, names: &[String]| {
                    write!(f, "only {which} has {}", names.join(", "))
                };
                match (only_training.is_empty(), only_test.is_empty()) {
                    (false, false) => {
                        only(f, "training", only_training)?;
                        f.write_str("; ")?;
                        only(f, "test", only_test)
                    }
                    (false, true) => only(f, "training", only_training),
                    _ => only(f, "test", only_test),
                }
            }
            Self::Image { file, error } => write!(f, "{}: not a valid image: {error}", file.display()),
            Self::Size { file, found, first, expected } => write!(
                f,
                "{} has {}×{} pixels, but {} has {}×{}: give one size for all with --resize ROWSxCOLUMNS",
                file.display(),
                found[0],
                found[1],
                first.display(),
                expected[0],
                expected[1]
            ),
            Self::TooLarge { folder, images, shape } => {
                write!(f, "{}: {images} images of {shape} values are too many for memory", folder.display())
            }
        }
    }
}

impl std::error::Error for ImageFolderError {}

/// Whether a folder looks like one of these.
#[must_use]
pub fn is_one(folder: &Path) -> bool {
    folder.join(TRAINING).is_dir()
}

/// Reads the images of both halves, or of the first, of which a part is then the second.
pub(super) fn load(folder: &Path, options: Options) -> Result<Splits, DataError> {
    let place = TEST.iter().map(|name| folder.join(name)).find(|folder| folder.is_dir());
    let test = match (place, options.test_fraction) {
        (Some(place), None) => Test::Given(Half::find(&place)?),
        (Some(place), Some(_)) => return Err(DataError::HasTest { place }),
        (None, Some(fraction)) => Test::HeldOut { fraction },
        (None, None) => return Err(ImageFolderError::NoTest { folder: folder.to_owned() }.into()),
    };
    let training = Half::find(&folder.join(TRAINING))?;
    let halves = match &test {
        Test::Given(test) => vec![&training, test],
        Test::HeldOut { .. } => vec![&training],
    };
    let class_names = classes(folder, &halves)?;
    let headers = headers(&halves)?;
    let shape = shape(folder, &halves, &headers, options.resize)?;
    let images = training.decode(shape, class_names.len())?;
    let mut notes = Vec::new();
    if let Some([rows, columns]) = options.resize {
        notes.push(format!("The images were resized to {rows}×{columns} pixels."));
    }
    let images = match &test {
        Test::Given(test) => [images, test.decode(shape, class_names.len())?],
        Test::HeldOut { fraction } => hold_out(&images, *fraction, folder, &mut notes)?,
    };
    let files = halves.into_iter().flat_map(Half::files).cloned().collect();
    let splits = Splits::new(Kind::ImageFolder, folder.to_owned(), files, images);
    Ok(Splits { class_names, notes, ..splits })
}

/// The images of one half.
struct Half {
    folder: PathBuf,
    classes: BTreeMap<OsString, Vec<PathBuf>>,
}

impl Half {
    fn find(folder: &Path) -> Result<Self, ImageFolderError> {
        let mut classes = BTreeMap::new();
        for (name, path) in entries(folder)? {
            if path.is_dir() {
                let is_image = |path: &PathBuf| path.is_file() && has_image_name(path);
                let mut images: Vec<_> =
                    entries(&path)?.into_iter().map(|(_, path)| path).filter(is_image).collect();
                if images.is_empty() {
                    return Err(ImageFolderError::EmptyClass { folder: path });
                }
                images.sort();
                classes.insert(name, images);
            }
        }
        let folder = folder.to_owned();
        match classes.len() {
            0 => Err(ImageFolderError::NoClasses { folder }),
            found if found > MOST_CLASSES => Err(ImageFolderError::TooManyClasses { folder, found }),
            _ => Ok(Self { folder, classes }),
        }
    }

    /// All images, class by class.
    fn files(&self) -> impl Iterator<Item = &PathBuf> {
        self.classes.values().flatten()
    }

    fn len(&self) -> usize {
        self.classes.values().map(Vec::len).sum()
    }

    fn decode(&self, shape: Shape, classes: usize) -> Result<Images, ImageFolderError> {
        let images = self.len();
        let too_large = || ImageFolderError::TooLarge { folder: self.folder.clone(), images, shape };
        let len = images.checked_mul(shape.len()).ok_or_else(too_large)?;
        Vec::<u8>::new().try_reserve_exact(len).map_err(|_| too_large())?;
        // Zeros that nobody has written take no memory yet: headers that promise more pixels than there are cost nothing.
        let mut pixels = vec![0; len];
        let places = self.files().zip(pixels.chunks_exact_mut(shape.len()));
        on_all_cores(places, |(file, pixels)| {
            let failed = |error| ImageFolderError::Image { file: file.clone(), error };
            let image = open(file).map_err(failed)?.decode().map_err(failed)?;
            write_planes(image, shape, pixels);
            Ok(())
        })?;
        let labels = (0_u8..=u8::MAX)
            .zip(self.classes.values())
            .flat_map(|(class, images)| std::iter::repeat_n(class, images.len()))
            .collect::<Vec<_>>();
        let classes = u32::try_from(classes).unwrap_or(u32::MAX);
        Images::new(pixels.into(), labels.into(), shape, classes).ok_or_else(too_large)
    }
}

/// The entries of a folder, without those that systems hide.
fn entries(folder: &Path) -> Result<Vec<(OsString, PathBuf)>, ImageFolderError> {
    let failed = |error| ImageFolderError::Read { folder: folder.to_owned(), error };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        if !name.as_encoded_bytes().starts_with(b".") {
            found.push((name, entry.path()));
        }
    }
    Ok(found)
}

fn has_image_name(file: &Path) -> bool {
    let extension = file.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    extension.is_some_and(|extension| EXTENSIONS.contains(&extension.as_str()))
}

/// The names of the classes, which are the same in all halves.
fn classes(folder: &Path, halves: &[&Half]) -> Result<Vec<String>, ImageFolderError> {
    let only = |own: &Half, other: &Half| {
        let names = own.classes.keys().filter(|name| !other.classes.contains_key(*name));
        names.map(|name| name.to_string_lossy().into_owned()).collect::<Vec<_>>()
    };
    if let [training, test] = halves {
        let (only_training, only_test) = (only(training, test), only(test, training));
        if !only_training.is_empty() || !only_test.is_empty() {
            let folder = folder.to_owned();
            return Err(ImageFolderError::OtherClasses { folder, only_training, only_test });
        }
    }
    let names = halves.first().into_iter().flat_map(|half| half.classes.keys());
    Ok(names.map(|name| name.to_string_lossy().into_owned()).collect())
}

/// What an image's first bytes say.
#[derive(Clone, Copy, Default)]
struct Header {
    rows: u32,
    columns: u32,
    has_colour: bool,
}

fn headers(halves: &[&Half]) -> Result<Vec<Header>, ImageFolderError> {
    let mut headers = vec![Header::default(); halves.iter().map(|half| half.len()).sum()];
    let places = halves.iter().flat_map(|half| half.files()).zip(&mut headers);
    on_all_cores(places, |(file, header)| {
        let failed = |error| ImageFolderError::Image { file: file.clone(), error };
        let decoder = open(file).and_then(ImageReader::into_decoder).map_err(failed)?;
        let (columns, rows) = decoder.dimensions();
        *header = Header { rows, columns, has_colour: decoder.color_type().has_color() };
        Ok(())
    })?;
    Ok(headers)
}

/// The one shape of all images.
fn shape(
    folder: &Path,
    halves: &[&Half],
    headers: &[Header],
    resize: Option<[u32; 2]>,
) -> Result<Shape, ImageFolderError> {
    let channels = if headers.iter().any(|header| header.has_colour) { 3 } else { 1 };
    if let Some([rows, columns]) = resize {
        return Ok(Shape::image(channels, rows, columns));
    }
    let mut images = halves.iter().flat_map(|half| half.files()).zip(headers);
    let Some((first, &Header { rows, columns, .. })) = images.next() else {
        return Err(ImageFolderError::NoClasses { folder: folder.to_owned() });
    };
    match images.find(|(_, header)| (header.rows, header.columns) != (rows, columns)) {
        None => Ok(Shape::image(channels, rows, columns)),
        Some((file, header)) => Err(ImageFolderError::Size {
            file: file.clone(),
            found: [header.rows, header.columns],
            first: first.clone(),
            expected: [rows, columns],
        }),
    }
}

fn open(file: &Path) -> Result<ImageReader<io::BufReader<fs::File>>, ImageError> {
    // By content: names may lie.
    Ok(ImageReader::open(file)?.with_guessed_format()?)
}

/// Writes an image, of the shape's size or brought to it, as planes.
fn write_planes(image: DynamicImage, shape: Shape, planes: &mut [u8]) {
    let is_of_size = (image.height(), image.width()) == (shape.height, shape.width);
    let image =
        if is_of_size { image } else { image.resize_exact(shape.width, shape.height, FilterType::Triangle) };
    let channels = shape.channels as usize;
    let pixels = if channels == 1 { image.into_luma8().into_raw() } else { image.into_rgb8().into_raw() };
    for (place, pixel) in pixels.chunks_exact(channels).enumerate() {
        for (channel, &value) in pixel.iter().enumerate() {
            planes[channel * shape.plane() + place] = value;
        }
    }
}

/// Does the work for all items. Of several that fail, the first one's error is returned: items are taken in order, and
/// all before it were taken.
fn on_all_cores<T: Send>(
    items: impl Iterator<Item = T> + Send,
    work: impl Fn(T) -> Result<(), ImageFolderError> + Sync,
) -> Result<(), ImageFolderError> {
    let items = Mutex::new(items.enumerate());
    let failed = Mutex::new(None::<(usize, ImageFolderError)>);
    let take = || {
        // A thread that panicked has poisoned it; the scope passes its panic on.
        let mut items = items.lock().ok()?;
        if failed.lock().ok()?.is_some() { None } else { items.next() }
    };
    thread::scope(|scope| {
        for _ in 0..available_threads().get() {
            scope.spawn(|| {
                while let Some((place, item)) = take() {
                    if let Err(error) = work(item)
                        && let Ok(mut failed) = failed.lock()
                        && failed.as_ref().is_none_or(|(first, _)| place < *first)
                    {
                        *failed = Some((place, error));
                    }
                }
            });
        }
    });
    match failed.into_inner() {
        Ok(Some((_, error))) => Err(error),
        _ => Ok(()),
    }
}
