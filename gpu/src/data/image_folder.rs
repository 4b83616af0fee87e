//! Folders of PNG and JPEG images: `train/CLASS/…` and `test/CLASS/…`.
//!
//! Classes are the folders' names, sorted, and numbered in this order; images are sorted by name within a class. All
//! images have one size, or are resized to one. If all are grey, they have one channel, else three; transparency is
//! dropped, 16 bits become 8, and images are rotated according to their EXIF data.

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
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageReader, Limits};

use super::error::HOLD_OUT;
use super::hold_out::{Test, hold_out};
use super::left_out::{LeftOut, Reason, is_hidden, is_of_system};
use super::{DataError, Kind, Options, Splits};
use crate::dataset::Images;
use crate::file_kind;
use crate::memory::{self, NotEnoughMemory};

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
        /// How much else is in it.
        others: usize,
    },
    /// The name of a class holds a control character.
    ClassName {
        /// Its folder.
        folder: PathBuf,
    },
    /// Something that is no regular file, and is called like an image.
    NoFile {
        /// What.
        file: PathBuf,
        /// What it is instead.
        is: &'static str,
    },
    /// An image without a pixel.
    NoPixels {
        /// Which.
        file: PathBuf,
        /// Its rows and columns.
        size: [u32; 2],
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
        /// How much memory there is, where that is known.
        memory: Option<NotEnoughMemory>,
    },
}

impl fmt::Display for ImageFolderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTest { folder } => write!(
                f,
                "{} has training images in {TRAINING}, but no folder {}: move some images of each class there, \
                 into folders with the same names, or {HOLD_OUT}",
                folder.display(),
                TEST[0]
            ),
            Self::Read { folder, error } => write!(f, "{}: {error}", folder.display()),
            Self::NoClasses { folder } => {
                write!(f, "{}: there are no images: it needs a folder for each class", folder.display())
            }
            Self::EmptyClass { folder, others } => {
                write!(f, "{}: this class has no image ({})", folder.display(), EXTENSIONS.join(", "))?;
                match others {
                    0 => Ok(()),
                    1 => f.write_str(", but one other file or folder"),
                    _ => write!(f, ", but {others} other files and folders"),
                }
            }
            Self::ClassName { folder } => write!(
                f,
                "{:?}: the folder's name is that of a class, and must not contain control characters",
                folder.display().to_string()
            ),
            Self::NoFile { file, is } => write!(f, "{} {is}", file.display()),
            Self::NoPixels { file, size: [rows, columns] } => {
                write!(f, "{}: the image has {rows}×{columns} pixels, but needs at least one", file.display())
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
            Self::TooLarge { folder, images, shape, memory } => {
                write!(f, "{}: {images} images of {shape} values do not fit into memory", folder.display())?;
                memory.map_or(Ok(()), |memory| write!(f, ": {memory}"))
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
        (Some(place), None) => Test::Given(place),
        (Some(place), Some(_)) => return Err(DataError::HasTest { place }),
        (None, Some(fraction)) => Test::HeldOut { fraction },
        (None, None) => return Err(ImageFolderError::NoTest { folder: folder.to_owned() }.into()),
    };
    let mut left_out = LeftOut::default();
    let training = Half::find(&folder.join(TRAINING), &mut left_out)?;
    let test = match test {
        Test::Given(place) => Test::Given(Half::find(&place, &mut left_out)?),
        Test::HeldOut { fraction } => Test::HeldOut { fraction },
    };
    let halves = match &test {
        Test::Given(test) => vec![&training, test],
        Test::HeldOut { .. } => vec![&training],
    };
    let class_names = classes(folder, &halves)?;
    let headers = headers(&halves)?;
    let shape = shape(folder, &halves, &headers, options.resize)?;
    check_memory(folder, &halves, shape)?;
    let images = training.decode(shape, class_names.len())?;
    let mut notes: Vec<_> = left_out.note(folder).into_iter().collect();
    notes.extend(order_of_numbers(&class_names));
    let turned = headers.iter().filter(|header| header.orientation != Orientation::NoTransforms).count();
    if turned > 0 {
        let were = if turned == 1 { "image was" } else { "images were" };
        notes.push(format!("{turned} {were} rotated according to the EXIF data."));
    }
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
    fn find(folder: &Path, left_out: &mut LeftOut) -> Result<Self, ImageFolderError> {
        let mut classes = BTreeMap::new();
        for (name, path) in entries(folder)? {
            match found(&path)? {
                Found::Folder if is_of_system(&name) => left_out.add(Reason::OfSystem, &path),
                Found::Folder => {
                    if name.to_string_lossy().chars().any(char::is_control) {
                        return Err(ImageFolderError::ClassName { folder: path });
                    }
                    classes.insert(name, images_of_class(path, left_out)?);
                }
                _ if is_hidden(&name) => {}
                Found::DeadLink => left_out.add(Reason::DeadLink, &path),
                Found::File | Found::Special(_) => left_out.add(Reason::NoImage, &path),
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
        let too_large =
            || ImageFolderError::TooLarge { folder: self.folder.clone(), images, shape, memory: None };
        let len = images.checked_mul(shape.len()).ok_or_else(too_large)?;
        Vec::<u8>::new().try_reserve_exact(len).map_err(|_| too_large())?;
        // Zeros that nobody has written take no memory yet: headers that promise more pixels than there are cost nothing.
        let mut pixels = vec![0; len];
        let places = self.files().zip(pixels.chunks_exact_mut(shape.len()));
        on_all_cores(places, |(file, pixels)| {
            let failed = |error| ImageFolderError::Image { file: file.clone(), error };
            write_planes(decode(file).map_err(failed)?, shape, pixels);
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

/// What an entry of a folder is, with links followed.
enum Found {
    File,
    Folder,
    DeadLink,
    /// A pipe or a device, which may never end.
    Special(&'static str),
}

fn found(path: &Path) -> Result<Found, ImageFolderError> {
    match fs::metadata(path) {
        Ok(found) if found.is_file() => Ok(Found::File),
        Ok(found) if found.is_dir() => Ok(Found::Folder),
        Ok(found) => Ok(Found::Special(file_kind::unexpected(found.file_type()))),
        // Nothing at its end, or a circle.
        Err(error)
            if error.kind() != io::ErrorKind::PermissionDenied
                && fs::symlink_metadata(path).is_ok_and(|entry| entry.is_symlink()) =>
        {
            Ok(Found::DeadLink)
        }
        Err(error) => Err(ImageFolderError::Read { folder: path.to_owned(), error }),
    }
}

/// The images in a class's folder, sorted by name.
fn images_of_class(folder: PathBuf, left_out: &mut LeftOut) -> Result<Vec<PathBuf>, ImageFolderError> {
    let (mut images, before) = (Vec::new(), left_out.count());
    for (name, path) in entries(&folder)? {
        // Hidden files are some program's, such as the thumbnails of one that shows images.
        if is_hidden(&name) {
            continue;
        }
        match (found(&path)?, has_image_name(&path)) {
            (Found::File, true) => images.push(path),
            (Found::Folder, true) => {
                return Err(ImageFolderError::NoFile { file: path, is: file_kind::FOLDER });
            }
            (Found::Special(is), true) => return Err(ImageFolderError::NoFile { file: path, is }),
            (Found::Folder, false) => left_out.add(Reason::FolderInClass, &path),
            (Found::DeadLink, _) => left_out.add(Reason::DeadLink, &path),
            (Found::File | Found::Special(_), false) => left_out.add(Reason::NoImage, &path),
        }
    }
    if images.is_empty() {
        return Err(ImageFolderError::EmptyClass { folder, others: left_out.count() - before });
    }
    Ok(images)
}

/// Refuses images whose pixels this machine cannot hold.
fn check_memory(folder: &Path, halves: &[&Half], shape: Shape) -> Result<(), ImageFolderError> {
    let images = halves.iter().map(|half| half.len()).sum();
    let bytes = (images as u64).saturating_mul(shape.len() as u64);
    memory::check(bytes).map_err(|memory| ImageFolderError::TooLarge {
        folder: folder.to_owned(),
        images,
        shape,
        memory: Some(memory),
    })
}

/// What the user should know where classes are called by numbers, and sorted as texts.
fn order_of_numbers(class_names: &[String]) -> Option<String> {
    let numbers: Vec<u64> = class_names.iter().map(|name| name.parse().ok()).collect::<Option<_>>()?;
    let place = numbers.windows(2).position(|pair| pair[0] > pair[1])?;
    Some(format!(
        "Classes are numbered in the order of their names as text: {} comes before {}.",
        class_names[place],
        class_names[place + 1]
    ))
}

/// The entries of a folder, sorted by name.
fn entries(folder: &Path) -> Result<Vec<(OsString, PathBuf)>, ImageFolderError> {
    let failed = |error| ImageFolderError::Read { folder: folder.to_owned(), error };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        found.push((entry.file_name(), entry.path()));
    }
    found.sort();
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
#[derive(Clone, Copy)]
struct Header {
    /// Upright.
    rows: u32,
    columns: u32,
    has_colour: bool,
    orientation: Orientation,
}

impl Header {
    const UNREAD: Self =
        Self { rows: 0, columns: 0, has_colour: false, orientation: Orientation::NoTransforms };
}

fn headers(halves: &[&Half]) -> Result<Vec<Header>, ImageFolderError> {
    let mut headers = vec![Header::UNREAD; halves.iter().map(|half| half.len()).sum()];
    let places = halves.iter().flat_map(|half| half.files()).zip(&mut headers);
    on_all_cores(places, |(file, header)| {
        let failed = |error| ImageFolderError::Image { file: file.clone(), error };
        let mut decoder = open(file).and_then(ImageReader::into_decoder).map_err(failed)?;
        let orientation = decoder.orientation().map_err(failed)?;
        let (columns, rows) = decoder.dimensions();
        let [rows, columns] = if lies_on_its_side(orientation) { [columns, rows] } else { [rows, columns] };
        if rows == 0 || columns == 0 {
            return Err(ImageFolderError::NoPixels { file: file.clone(), size: [rows, columns] });
        }
        *header = Header { rows, columns, has_colour: decoder.color_type().has_color(), orientation };
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

/// Whether rows become columns.
const fn lies_on_its_side(orientation: Orientation) -> bool {
    match orientation {
        Orientation::NoTransforms
        | Orientation::Rotate180
        | Orientation::FlipHorizontal
        | Orientation::FlipVertical => false,
        Orientation::Rotate90
        | Orientation::Rotate270
        | Orientation::Rotate90FlipH
        | Orientation::Rotate270FlipH => true,
    }
}

/// An image, upright.
fn decode(file: &Path) -> Result<DynamicImage, ImageError> {
    let mut decoder = open(file)?.into_decoder()?;
    // As the reader itself does where nobody asks for the orientation.
    Limits::default().reserve(decoder.total_bytes())?;
    let orientation = decoder.orientation()?;
    let mut image = DynamicImage::from_decoder(decoder)?;
    image.apply_orientation(orientation);
    Ok(image)
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
