//! Drawing a picture anew from its pixels. Blocks for up to a second, and knows no I/O.

use std::io::Cursor;

use engine::values::MediaFormat;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::{
    DynamicImage, ImageDecoder as _, ImageEncoder as _, ImageError, ImageFormat, ImageReader,
    Limits,
};

/// Most pixels of a picture that is taken: those of a good telephone.
const PIXELS_MAX: u64 = 16_777_216;
/// Longest side of a picture that is taken, in pixels.
const SIDE_TAKEN_MAX: u32 = 16_384;
/// Most memory for one decoding: the pixels twice, in the widest form that is decoded to.
const MEMORY_MAX: u64 = 2 * 8 * PIXELS_MAX;
/// Longest side of a picture that is stored, in pixels; larger ones are drawn smaller.
const SIDE_MAX: u32 = 2_048;
/// Longest side of a thumbnail, in pixels.
const THUMBNAIL_SIDE: u32 = 320;
/// Quality of stored photographs, of 100.
const JPEG_QUALITY: u8 = 85;

/// A picture as it is stored.
pub(super) struct Drawn {
    pub(super) format: MediaFormat,
    pub(super) bytes: Vec<u8>,
    pub(super) width: u32,
    pub(super) height: u32,
}

/// Why nothing can be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Undrawable {
    /// The bytes are not a whole picture of the kind that they were said to be.
    Damaged,
    /// It has more pixels than are taken.
    TooLarge,
}

/// Draws a picture and its thumbnail. What is told from its first bytes is judged before anything is
/// decoded. Of several frames the first is drawn. No metadata is kept; the picture stands upright.
pub(super) fn draw(bytes: &[u8], said: ImageFormat) -> Result<(Drawn, Drawn), Undrawable> {
    // The bytes decide; a name for them that does not fit is a trick or a mistake.
    if image::guess_format(bytes).ok() != Some(said) {
        return Err(Undrawable::Damaged);
    }
    // Its decoder fills up what is missing at the end.
    if said == ImageFormat::Jpeg && !is_whole_jpeg(bytes) {
        return Err(Undrawable::Damaged);
    }
    let mut reader = ImageReader::with_format(Cursor::new(bytes), said);
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE_TAKEN_MAX);
    limits.max_image_height = Some(SIDE_TAKEN_MAX);
    limits.max_alloc = Some(MEMORY_MAX);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|error| why(&error))?;
    let (width, height) = decoder.dimensions();
    if PIXELS_MAX < u64::from(width).saturating_mul(height.into()) {
        return Err(Undrawable::TooLarge);
    }
    let orientation = decoder.orientation().map_err(|error| why(&error))?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|error| why(&error))?;
    picture.apply_orientation(orientation);
    let format = match said {
        ImageFormat::Png => MediaFormat::Png,
        _ if picture.color().has_alpha() => MediaFormat::Png,
        _ => MediaFormat::Jpeg,
    };
    let picture = within(picture, SIDE_MAX);
    let thumbnail = within(picture.clone(), THUMBNAIL_SIDE);
    Ok((encode(&picture, format)?, encode(&thumbnail, format)?))
}

fn why(error: &ImageError) -> Undrawable {
    match error {
        ImageError::Limits(_) => Undrawable::TooLarge,
        _ => Undrawable::Damaged,
    }
}

/// The same, its longest side no longer than `side`.
fn within(picture: DynamicImage, side: u32) -> DynamicImage {
    if picture.width().max(picture.height()) <= side {
        return picture;
    }
    picture.resize(side, side, FilterType::Triangle)
}

fn encode(picture: &DynamicImage, format: MediaFormat) -> Result<Drawn, Undrawable> {
    let (width, height) = (picture.width(), picture.height());
    let mut bytes = Vec::new();
    match format {
        MediaFormat::Jpeg => {
            let encoder = JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY);
            picture.to_rgb8().write_with_encoder(encoder)
        }
        MediaFormat::Png => {
            let encoder = image::codecs::png::PngEncoder::new(&mut bytes);
            if picture.color().has_alpha() {
                encoder.write_image(
                    &picture.to_rgba8(),
                    width,
                    height,
                    image::ColorType::Rgba8.into(),
                )
            } else {
                encoder.write_image(
                    &picture.to_rgb8(),
                    width,
                    height,
                    image::ColorType::Rgb8.into(),
                )
            }
        }
    }
    .map_err(|error| why(&error))?;
    Ok(Drawn { format, bytes, width, height })
}

/// Whether the last scan of a JPEG file comes to its end.
fn is_whole_jpeg(bytes: &[u8]) -> bool {
    // After the marker of the file, segments with their lengths; the first scan ends the walk.
    let mut at = 2_usize;
    loop {
        let Some(&[0xff, marker, high, low]) = bytes.get(at..).and_then(<[u8]>::first_chunk) else {
            return false;
        };
        let length = usize::from(u16::from_be_bytes([high, low]));
        at = at.saturating_add(2).saturating_add(length);
        if marker == 0xda {
            break;
        }
    }
    let scans = bytes.get(at..).unwrap_or_default();
    scans.windows(2).any(|pair| *pair == [0xff, 0xd9])
}
