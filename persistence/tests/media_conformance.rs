//! The contract of the store of pictures, kept by every adapter.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use bytes::Bytes;
use engine::values::{MediaFormat, MediaName, MediaOwner, Moment, ProductId};
use futures::TryStreamExt as _;
use persistence::media::{MediaFiles, MediaStore, MemoryMedia};

fn owner(id: &str) -> MediaOwner {
    MediaOwner::product(&ProductId::parse(id).unwrap())
}

const fn at(micros: i64) -> Moment {
    Moment::from_unix_micros(micros)
}

async fn put(store: &dyn MediaStore, of: &str, bytes: &'static [u8], now: i64) -> MediaName {
    store.put(&owner(of), MediaFormat::Png, Bytes::from_static(bytes), at(now)).await.unwrap()
}

async fn read(store: &dyn MediaStore, name: &MediaName) -> Option<Vec<u8>> {
    let content = store.read(name).await.unwrap()?;
    let pieces: Vec<Bytes> = content.pieces.try_collect().await.unwrap();
    let whole = pieces.concat();
    assert_eq!(content.bytes, whole.len() as u64);
    Some(whole)
}

async fn listed(store: &dyn MediaStore, of: &str) -> Vec<(MediaName, u64, Moment)> {
    let stored = store.list(&owner(of), 100).await.unwrap();
    stored.into_iter().map(|media| (media.name, media.bytes, media.stored_at)).collect()
}

async fn a_picture_is_read_back_as_it_was_put(store: &dyn MediaStore) {
    let name = put(store, "mug", b"\x89PNG bytes", 5).await;
    assert_eq!(read(store, &name).await.unwrap(), b"\x89PNG bytes");
    assert_eq!(name.owner().id(), "mug");
    assert_eq!(MediaName::parse(&name.to_string()), Ok(name));
}

async fn a_large_picture_comes_in_pieces(store: &dyn MediaStore) {
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| n.to_le_bytes()[0] ^ 0x5a).collect();
    let put = store.put(&owner("mug"), MediaFormat::Jpeg, bytes.clone().into(), at(1)).await;
    assert_eq!(read(store, &put.unwrap()).await.unwrap(), bytes);
}

async fn the_same_picture_of_the_same_owner_has_one_name(store: &dyn MediaStore) {
    let first = put(store, "mug", b"one", 5).await;
    assert_eq!(put(store, "mug", b"one", 7).await, first);
    assert_eq!(listed(store, "mug").await, [(first.clone(), 3, at(7))]);
    assert_ne!(put(store, "mug", b"two", 5).await, first);
    let other = put(store, "cup", b"one", 5).await;
    assert_eq!((other.digest(), other == first), (first.digest(), false));
}

async fn owners_do_not_share_files(store: &dyn MediaStore) {
    let (mug, cup) = (put(store, "mug", b"one", 5).await, put(store, "cup", b"one", 5).await);
    assert!(store.remove(&mug, at(6)).await.unwrap());
    assert_eq!(read(store, &mug).await, None);
    assert_eq!(read(store, &cup).await.unwrap(), b"one");
}

async fn what_is_not_there_is_told_as_absent(store: &dyn MediaStore) {
    let name = MediaName::new(owner("mug"), [7; 32], MediaFormat::Jpeg);
    assert_eq!(read(store, &name).await, None);
    assert!(!store.remove(&name, at(i64::MAX)).await.unwrap());
    assert_eq!(listed(store, "mug").await, []);
    assert_eq!(store.owners(None, 10).await.unwrap(), []);
}

async fn a_picture_that_was_put_again_is_not_removed_for_its_age(store: &dyn MediaStore) {
    let name = put(store, "mug", b"one", 5).await;
    assert!(!store.remove(&name, at(5)).await.unwrap());
    put(store, "mug", b"one", 50).await;
    assert!(!store.remove(&name, at(20)).await.unwrap());
    assert!(store.remove(&name, at(51)).await.unwrap());
    assert!(!store.remove(&name, at(51)).await.unwrap());
}

async fn pictures_are_listed_by_owner(store: &dyn MediaStore) {
    let mut names = Vec::new();
    for bytes in [b"a".as_slice(), b"b", b"c"] {
        names.push(put(store, "mug", bytes, 1).await);
    }
    put(store, "cup", b"a", 1).await;
    names.sort();
    let stored: Vec<_> = listed(store, "mug").await.into_iter().map(|(name, ..)| name).collect();
    assert_eq!(stored, names);
    let first: Vec<_> = store.list(&owner("mug"), 2).await.unwrap();
    assert_eq!(
        first.into_iter().map(|media| media.name).collect::<Vec<_>>(),
        names.get(..2).unwrap()
    );
}

async fn owners_come_page_by_page(store: &dyn MediaStore) {
    let ids = ["cup", "laptop", "mug", "ä"];
    for id in ids {
        put(store, id, b"a", 1).await;
        put(store, id, b"b", 1).await;
    }
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = store.owners(after.as_ref(), 3).await.unwrap();
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 3);
        after = Some(last.clone());
        found.extend(page);
    }
    let mut expected: Vec<_> = ids.into_iter().map(owner).collect();
    expected.sort();
    assert_eq!(found, expected);
}

macro_rules! conformance_suite {
    ($backend:ident, $open:expr, [$($clause:ident),+ $(,)?]) => {
        mod $backend {
            use super::*;
            $(
                #[tokio::test]
                async fn $clause() {
                    let (store, _folder) = $open.await;
                    super::$clause(&store).await;
                }
            )+
        }
    };
    ($backend:ident, $open:expr) => {
        conformance_suite!($backend, $open, [
            a_picture_is_read_back_as_it_was_put,
            a_large_picture_comes_in_pieces,
            the_same_picture_of_the_same_owner_has_one_name,
            owners_do_not_share_files,
            what_is_not_there_is_told_as_absent,
            a_picture_that_was_put_again_is_not_removed_for_its_age,
            pictures_are_listed_by_owner,
            owners_come_page_by_page,
        ]);
    };
}

async fn files() -> (MediaFiles, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (MediaFiles::open(&folder.path().join("shop/media")).await.unwrap(), folder)
}

conformance_suite!(memory, async { (MemoryMedia::default(), ()) });
conformance_suite!(in_files, files());

#[tokio::test]
async fn files_survive_the_process_and_what_was_never_finished_does_not() {
    let (store, folder) = files().await;
    let root = folder.path().join("shop/media");
    let name = put(&store, "mug", b"one", 5).await;
    std::fs::write(root.join("incoming/7-half.png"), b"half").unwrap();
    drop(store);
    let store = MediaFiles::open(&root).await.unwrap();
    assert_eq!(read(&store, &name).await.unwrap(), b"one");
    assert_eq!(std::fs::read_dir(root.join("incoming")).unwrap().count(), 0);
}

#[cfg(unix)]
#[tokio::test]
async fn files_are_for_this_user_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let (store, folder) = files().await;
    let name = put(&store, "mug", b"one", 5).await;
    let owner = folder.path().join("shop/media/product").join(name.owner().folder());
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&owner), mode(&owner.join(name.file()))), (0o700, 0o600));
}

#[tokio::test]
async fn what_others_put_into_the_folder_is_left_alone() {
    let (store, folder) = files().await;
    let name = put(&store, "mug", b"one", 5).await;
    let area = folder.path().join("shop/media/product");
    std::fs::write(area.join("notes.txt"), b"mine").unwrap();
    std::fs::write(area.join(name.owner().folder()).join("notes.png"), b"mine").unwrap();
    assert_eq!(listed(&store, "mug").await.len(), 1);
    assert_eq!(store.owners(None, 10).await.unwrap(), [owner("mug")]);
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_told() {
    let (store, folder) = files().await;
    std::fs::write(folder.path().join("shop"), b"no folder").unwrap();
    let refused =
        store.put(&owner("mug"), MediaFormat::Png, Bytes::from_static(b"one"), at(1)).await;
    assert!(matches!(refused, Err(persistence::StoreError::Unavailable(_))), "{refused:?}");
}

#[tokio::test]
async fn a_copy_of_the_folder_holds_every_picture() {
    let (store, folder) = files().await;
    let names = [put(&store, "mug", b"one", 5).await, put(&store, "cup", b"two", 6).await];
    let to = folder.path().join("copy");
    assert_eq!(store.copy_to(&to).await.unwrap(), 2);
    let copy = MediaFiles::open(&to).await.unwrap();
    for name in &names {
        assert_eq!(read(&copy, name).await, read(&store, name).await);
    }
    assert_eq!(listed(&copy, "cup").await, listed(&store, "cup").await);
}
