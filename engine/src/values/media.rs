//! Pictures: their names say whose they are and what is in them, and what is known about each.

use std::fmt::{self, Write as _};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{ProductId, ReturnId};

/// A kind of thing that has pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MediaArea {
    /// Products, which everybody may look at.
    Product,
    /// Returns, which only the shop may look at.
    Return,
}

impl MediaArea {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Product, Self::Return];

    /// The word in names and folders.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::Return => "return",
        }
    }
}

/// Whose pictures they are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MediaOwner {
    area: MediaArea,
    id: Arc<str>,
}

impl MediaOwner {
    /// Longest id of an owner, in bytes.
    pub const ID_MAX: usize = 64;

    /// A product.
    pub fn product(id: &ProductId) -> Self {
        Self { area: MediaArea::Product, id: id.as_str().into() }
    }

    /// A return.
    pub fn rma(id: ReturnId) -> Self {
        Self { area: MediaArea::Return, id: id.to_string().into() }
    }

    /// What kind of thing it is.
    pub const fn area(&self) -> MediaArea {
        self.area
    }

    /// Its id among things of its kind.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The id in hexadecimal digits: safe in a path on every disk, and readable back.
    pub fn folder(&self) -> String {
        hex(self.id.as_bytes())
    }

    /// Whose folder it is.
    pub fn of_folder(area: MediaArea, folder: &str) -> Option<Self> {
        let bytes = unhex(folder).filter(|bytes| (1..=Self::ID_MAX).contains(&bytes.len()))?;
        Some(Self { area, id: String::from_utf8(bytes).ok()?.into() })
    }
}

/// How a stored picture is encoded. There are no others: what comes in is drawn anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MediaFormat {
    /// For photographs.
    Jpeg,
    /// For what is partly transparent, or was drawn.
    Png,
}

impl MediaFormat {
    /// The end of a name.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
        }
    }

    /// The media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
        }
    }

    fn of_extension(text: &str) -> Option<Self> {
        [Self::Jpeg, Self::Png].into_iter().find(|format| format.extension() == text)
    }
}

/// Why a text is no name of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected <area>-<owner>-<sha256>.<jpg or png>")]
pub struct MediaNameError;

/// The name of a stored picture: `<area>-<owner in hex>-<SHA-256 of its bytes>.<ending>`. The same
/// picture of the same owner always has the same name; two owners never share a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MediaName {
    owner: MediaOwner,
    digest: [u8; 32],
    format: MediaFormat,
}

impl MediaName {
    /// The name of an owner's picture whose bytes have this SHA-256.
    pub const fn new(owner: MediaOwner, digest: [u8; 32], format: MediaFormat) -> Self {
        Self { owner, digest, format }
    }

    /// Reads a name.
    ///
    /// # Errors
    ///
    /// [`MediaNameError`] for every text but one that a name is shown as.
    pub fn parse(text: &str) -> Result<Self, MediaNameError> {
        let mut parts = text.splitn(3, '-');
        let mut next = || parts.next().ok_or(MediaNameError);
        let (area, folder, file) = (next()?, next()?, next()?);
        let area = MediaArea::ALL.into_iter().find(|known| known.as_str() == area);
        let owner = area.and_then(|area| MediaOwner::of_folder(area, folder));
        owner.and_then(|owner| Self::of_file(owner, file)).ok_or(MediaNameError)
    }

    /// The picture that lies under this file name in the folder of its owner.
    pub fn of_file(owner: MediaOwner, file: &str) -> Option<Self> {
        let (digest, extension) = file.split_once('.')?;
        let digest = unhex(digest)?.try_into().ok()?;
        Some(Self { owner, digest, format: MediaFormat::of_extension(extension)? })
    }

    /// The file name in the folder of its owner.
    pub fn file(&self) -> String {
        format!("{}.{}", hex(&self.digest), self.format.extension())
    }

    /// Whose it is.
    pub const fn owner(&self) -> &MediaOwner {
        &self.owner
    }

    /// How it is encoded.
    pub const fn format(&self) -> MediaFormat {
        self.format
    }

    /// SHA-256 of its bytes.
    pub const fn digest(&self) -> &[u8; 32] {
        &self.digest
    }
}

impl fmt::Display for MediaName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.owner.area.as_str(), self.owner.folder(), self.file())
    }
}

impl From<MediaName> for String {
    fn from(name: MediaName) -> Self {
        name.to_string()
    }
}

impl TryFrom<String> for MediaName {
    type Error = MediaNameError;

    fn try_from(text: String) -> Result<Self, MediaNameError> {
        Self::parse(&text)
    }
}

/// A stored picture and its small form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    /// The picture.
    pub name: MediaName,
    /// The same, small.
    pub thumbnail: MediaName,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Size of the picture in bytes.
    pub bytes: u64,
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        // Writing into a text cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Lower-case digits only, so that each name has one spelling.
fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if !digits || !text.len().is_multiple_of(2) {
        return None;
    }
    let pairs = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok());
    pairs.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect()
}
