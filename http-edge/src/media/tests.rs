//! What is drawn of good pictures, and that nothing is drawn of hostile ones.

use std::io::Cursor;
use std::sync::Arc;
use std::time::Duration;

use actors::clock::TokioClock;
use engine::values::{MediaFormat, MediaOwner, Moment, ProductId};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};
use persistence::media::{MediaStore as _, MemoryMedia};
use tokio::time::Instant;

use super::draw::{Undrawable, draw};
use super::{MediaRoom, Upload};
use crate::problem::Code;

fn photo(width: u32, height: u32) -> DynamicImage {
    let colour = |x: u32, y: u32| Rgb([x, y, x ^ y].map(|n| u8::try_from(n % 251).unwrap()));
    RgbImage::from_fn(width, height, colour).into()
}

fn glass(width: u32, height: u32) -> DynamicImage {
    RgbaImage::from_pixel(width, height, Rgba([9, 8, 7, 100])).into()
}

fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// The bytes with others in their place from `at` on.
fn patched(mut bytes: Vec<u8>, at: usize, with: &[u8]) -> Vec<u8> {
    bytes.splice(at..at + with.len(), with.iter().copied());
    bytes
}

/// The checksum of a part of a PNG file.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 }
        })
    })
}

/// A PNG file that says it is so large, with a right checksum.
fn png_of(width: u32, height: u32) -> Vec<u8> {
    let small = encoded(&photo(8, 8), ImageFormat::Png);
    let sized = patched(patched(small, 16, &width.to_be_bytes()), 20, &height.to_be_bytes());
    let sum = crc(&sized[12..29]);
    patched(sized, 29, &sum.to_be_bytes())
}

/// A JPEG file that says it is so large.
fn jpeg_of(width: u16, height: u16) -> Vec<u8> {
    let small = encoded(&photo(8, 8), ImageFormat::Jpeg);
    let frame = small.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    let size = [height.to_be_bytes(), width.to_be_bytes()].concat();
    patched(small, frame + 5, &size)
}

/// A JPEG file with a note in front, as cameras write them: turned by 90 degrees, and a secret.
fn jpeg_with_exif(picture: &DynamicImage, secret: &[u8]) -> Vec<u8> {
    let plain = encoded(picture, ImageFormat::Jpeg);
    let one_entry = b"\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00";
    let exif = [b"Exif\0\0MM\x00\x2a\x00\x00\x00\x08".as_slice(), one_entry, secret].concat();
    let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
    [&plain[..2], &[0xff, 0xe1], &length, &exif, &plain[2..]].concat()
}

#[test]
fn each_kind_of_picture_is_drawn_anew() {
    use ImageFormat::{Gif, Jpeg, Png, WebP};
    for (said, picture, stored) in [
        (Png, photo(40, 30), MediaFormat::Png),
        (Png, glass(40, 30), MediaFormat::Png),
        (Jpeg, photo(40, 30), MediaFormat::Jpeg),
        (WebP, photo(40, 30), MediaFormat::Jpeg),
        (WebP, glass(40, 30), MediaFormat::Png),
        (Gif, photo(40, 30), MediaFormat::Png),
    ] {
        let sent = encoded(&picture, said);
        let (drawn, thumbnail) = draw(&sent, said).unwrap();
        assert_eq!((drawn.format, drawn.width, drawn.height), (stored, 40, 30), "{said:?}");
        let read = image::load_from_memory(&drawn.bytes).unwrap();
        assert_eq!((read.width(), read.height()), (40, 30));
        assert_eq!((thumbnail.width, thumbnail.height), (40, 30), "small ones stay as they are");
        // The same upload is the same picture.
        assert_eq!(draw(&sent, said).unwrap().0.bytes, drawn.bytes);
    }
}

#[test]
fn large_pictures_are_drawn_smaller() {
    let sent = encoded(&photo(3_000, 60), ImageFormat::Jpeg);
    let (drawn, thumbnail) = draw(&sent, ImageFormat::Jpeg).unwrap();
    assert_eq!((drawn.width, drawn.height), (2_048, 41));
    assert_eq!((thumbnail.width, thumbnail.height), (320, 6));
}

#[test]
fn a_picture_stands_upright_and_its_metadata_is_gone() {
    let secret = b"GPS 48.2082 N 16.3738 E";
    let sent = jpeg_with_exif(&photo(40, 30), secret);
    assert!(contains(&sent, secret));
    let (drawn, thumbnail) = draw(&sent, ImageFormat::Jpeg).unwrap();
    assert_eq!((drawn.width, drawn.height), (30, 40));
    for stored in [drawn.bytes, thumbnail.bytes] {
        assert!(!contains(&stored, secret) && !contains(&stored, b"Exif"));
    }
}

#[test]
fn what_hangs_behind_a_picture_is_not_stored() {
    let archive = b"PK\x03\x04 <script>alert(1)</script>";
    for said in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif] {
        let sent = [encoded(&photo(40, 30), said).as_slice(), archive].concat();
        if let Ok((drawn, thumbnail)) = draw(&sent, said) {
            assert!(!contains(&drawn.bytes, b"script") && !contains(&thumbnail.bytes, b"script"));
        }
    }
}

#[test]
fn nothing_is_drawn_of_hostile_files() {
    use ImageFormat::{Gif, Jpeg, Png, WebP};
    use Undrawable::{Damaged, TooLarge};
    let (png, jpeg) = (encoded(&photo(64, 64), Png), encoded(&photo(64, 64), Jpeg));
    let (webp, gif) = (encoded(&photo(64, 64), WebP), encoded(&photo(64, 64), Gif));
    let half = |bytes: &[u8]| bytes[..bytes.len() / 2].to_vec();
    let svg = br#"<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>"#;
    let cases: Vec<(&str, ImageFormat, Vec<u8>, Undrawable)> = vec![
        ("nothing", Png, Vec::new(), Damaged),
        ("SVG", Png, svg.to_vec(), Damaged),
        ("HTML", Jpeg, b"<!doctype html><script>alert(1)</script>".to_vec(), Damaged),
        ("an archive", Png, b"PK\x03\x04\x14\0\0\0\x08\0".to_vec(), Damaged),
        ("PNG said to be JPEG", Jpeg, png.clone(), Damaged),
        ("JPEG said to be PNG", Png, jpeg.clone(), Damaged),
        ("a script that begins like GIF", Gif, b"GIF89a=1;alert(1)//".to_vec(), TooLarge),
        ("a signature and nothing else", Png, png[..8].to_vec(), Damaged),
        ("half a PNG", Png, half(&png), Damaged),
        ("half a JPEG", Jpeg, half(&jpeg), Damaged),
        ("half a WebP", WebP, half(&webp), Damaged),
        ("half a GIF", Gif, half(&gif), Damaged),
        ("a JPEG that ends in its head", Jpeg, jpeg[..30].to_vec(), Damaged),
        ("a PNG with a wrong checksum", Png, patched(png.clone(), 20, &[7; 4]), Damaged),
        ("a PNG of 50,000 by 50,000", Png, png_of(50_000, 50_000), TooLarge),
        ("a PNG of 5,000 by 5,000", Png, png_of(5_000, 5_000), TooLarge),
        ("a PNG without a pixel", Png, png_of(0, 8), Damaged),
        ("a JPEG of 50,000 by 50,000", Jpeg, jpeg_of(50_000, 50_000), TooLarge),
        ("a GIF of 50,000 by 50,000", Gif, patched(gif, 6, &[0x50, 0xc3, 0x50, 0xc3]), TooLarge),
        (
            "a WebP of 16,383 by 16,383",
            WebP,
            patched(webp, 21, &[0xfe, 0xbf, 0xff, 0x0f]),
            TooLarge,
        ),
    ];
    for (what, said, bytes, expected) in cases {
        assert_eq!(draw(&bytes, said).err(), Some(expected), "{what}");
    }
}

fn room() -> (MediaRoom, Arc<MemoryMedia>) {
    let store = Arc::new(MemoryMedia::default());
    let clock = Arc::new(TokioClock::starting_at(Moment::default()));
    (MediaRoom::new(store.clone(), clock), store)
}

fn owner() -> MediaOwner {
    MediaOwner::product(&ProductId::parse("mug").unwrap())
}

fn upload(bytes: Vec<u8>) -> Upload {
    Upload { said: ImageFormat::Png, bytes: bytes.into(), place: None }
}

#[tokio::test]
async fn a_picture_is_kept_with_its_thumbnail() {
    let (room, store) = room();
    let sent = encoded(&photo(400, 300), ImageFormat::Png);
    let kept = room.keep(&owner(), upload(sent.clone())).await.unwrap();
    assert_eq!((kept.width, kept.height), (400, 300));
    let stored = store.list(&owner(), 10).await.unwrap();
    let mut names = [kept.name.clone(), kept.thumbnail.clone()];
    names.sort();
    assert_eq!(stored.iter().map(|media| media.name.clone()).collect::<Vec<_>>(), names);
    assert_eq!(room.keep(&owner(), upload(sent)).await.unwrap(), kept);
}

#[tokio::test]
async fn of_what_cannot_be_drawn_nothing_is_kept() {
    let (room, store) = room();
    let refused = room.keep(&owner(), upload(b"<html>".to_vec())).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidImage);
    let refused = room.keep(&owner(), upload(png_of(50_000, 50_000))).await.unwrap_err();
    assert_eq!(refused.code(), Code::ImageTooLarge);
    assert!(store.owners(None, 10).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_picture_that_gets_no_turn_is_rejected() {
    let (room, store) = room();
    let _turns = room.all_turns().await;
    let began = Instant::now();
    let rejected = room.keep(&owner(), upload(png_of(8, 8))).await.unwrap_err();
    assert_eq!(rejected.code(), Code::Overloaded);
    assert!(began.elapsed() < Duration::from_secs(3));
    assert!(store.owners(None, 10).await.unwrap().is_empty());
}
