//! What a listing does, rule by rule.

use std::sync::Arc;

use super::{
    Discount, FlashSale, ListingState, PICTURES_MAX, Product, ProductCommand, ProductEvent,
    ProductRefusal, ProductStatus, Terms, VERSION_WHEN_SUPPLIED_MAX,
};
use crate::aggregate::Aggregate;
use crate::samples::{keyed, partner, picture, product, seconds, usd};
use crate::testkit::given;
use crate::values::{Currency, Money};

fn publish(name: &str, price: Money) -> ProductCommand {
    ProductCommand::Publish { product: product("mouse"), name: name.to_owned(), price }
}

fn published(price: Money) -> ProductEvent {
    ProductEvent::Published { product: product("mouse"), name: "Mouse".to_owned(), price }
}

fn renamed(name: &str) -> ProductEvent {
    ProductEvent::Renamed { name: name.to_owned() }
}

fn revise(
    name: Option<&str>,
    price: Option<Money>,
    status: Option<ProductStatus>,
) -> ProductCommand {
    ProductCommand::Revise { name: name.map(str::to_owned), price, status }
}

#[test]
fn a_product_is_published_once() {
    given::<Product>(&[]).when(publish("Mouse", usd(2_550))).then(&[published(usd(2_550))]);
    given::<Product>(&[published(usd(2_550))]).when(publish("Mouse", usd(2_550))).then(&[]);
}

#[test]
fn a_product_may_be_free_but_not_cheaper() {
    given::<Product>(&[]).when(publish("Mouse", usd(0))).then(&[published(usd(0))]);
    given::<Product>(&[])
        .when(publish("Mouse", usd(-1)))
        .then_refused(ProductRefusal::NegativePrice);
    given::<Product>(&[published(usd(2_550))])
        .when(revise(None, Some(usd(-1)), None))
        .then_refused(ProductRefusal::NegativePrice);
}

#[test]
fn the_id_of_a_listing_cannot_name_another_one() {
    let exists = || ProductRefusal::Exists(product("mouse"));
    let given = || given::<Product>(&[published(usd(2_550))]);
    given().when(publish("Mouse", usd(1))).then_refused(exists());
    given().when(publish("Rat", usd(2_550))).then_refused(exists());
}

#[test]
fn a_product_that_was_never_published_cannot_be_revised() {
    given::<Product>(&[])
        .when(revise(Some("Mouse"), None, None))
        .then_refused(ProductRefusal::Unknown);
}

#[test]
fn a_revision_changes_what_it_names_and_nothing_else() {
    let given = || given::<Product>(&[published(usd(2_550))]);
    given().when(revise(None, None, None)).then(&[]);
    given().when(revise(Some("Rat"), None, None)).then(&[renamed("Rat")]);
    given().when(revise(Some("Rat"), Some(usd(1)), Some(ProductStatus::Inactive))).then(&[
        renamed("Rat"),
        ProductEvent::Repriced { price: usd(1) },
        ProductEvent::StatusChanged { status: ProductStatus::Inactive },
    ]);
}

#[test]
fn revising_to_what_already_holds_changes_nothing() {
    given::<Product>(&[published(usd(2_550))])
        .when(revise(Some("Mouse"), Some(usd(2_550)), Some(ProductStatus::Active)))
        .then(&[]);
}

#[test]
fn a_listing_keeps_its_currency() {
    given::<Product>(&[published(usd(2_550))])
        .when(revise(None, Some(Money::new(2_550, Currency::EUR)), None))
        .then_refused(ProductRefusal::CurrencyChanged);
}

#[test]
fn a_listing_counts_its_versions() {
    let history = [
        published(usd(2_550)),
        renamed("Rat"),
        ProductEvent::Repriced { price: usd(1) },
        ProductEvent::StatusChanged { status: ProductStatus::Inactive },
    ];
    let given = given::<Product>(&history);
    let listing = Product::view(given.state()).unwrap();
    assert_eq!((listing.name.as_str(), listing.price), ("Rat", usd(1)));
    assert_eq!((listing.status, listing.version), (ProductStatus::Inactive, 4));
}

#[test]
fn a_change_before_the_publication_is_kept_as_nothing() {
    assert_eq!(*given::<Product>(&[renamed("Rat")]).state(), ListingState::default());
}

fn once(key: u128, says: u8, command: ProductCommand) -> ProductCommand {
    ProductCommand::Once { request: keyed(key, says), command: Box::new(command) }
}

fn answered(key: u128, says: u8) -> ProductEvent {
    ProductEvent::Answered { request: keyed(key, says) }
}

#[test]
fn a_late_repeat_under_a_key_does_not_bring_an_old_price_back() {
    let dearer = || revise(None, Some(usd(3_000)), None);
    given::<Product>(&[published(usd(2_550))])
        .when(once(1, 1, dearer()))
        .then(&[ProductEvent::Repriced { price: usd(3_000) }, answered(1, 1)]);
    let later = [published(usd(2_550)), answered(1, 1)];
    given::<Product>(&later).when(once(1, 1, dearer())).then(&[]);
    given::<Product>(&later).when(once(1, 2, dearer())).then_refused(ProductRefusal::KeyReused);
}

#[test]
fn a_publication_is_repeated_under_its_key_after_the_product_was_renamed() {
    let publish = || publish("Mouse", usd(2_550));
    given::<Product>(&[])
        .when(once(1, 1, publish()))
        .then(&[published(usd(2_550)), answered(1, 1)]);
    let later = [published(usd(2_550)), answered(1, 1), renamed("Rat")];
    given::<Product>(&later).when(once(1, 1, publish())).then(&[]);
    given::<Product>(&later).when(once(1, 2, publish())).then_refused(ProductRefusal::KeyReused);
    given::<Product>(&later).when(publish()).then_refused(ProductRefusal::Exists(product("mouse")));
}

#[test]
fn a_product_that_another_request_offered_is_not_offered_again_under_a_key() {
    let offered = [published(usd(2_550)), answered(1, 1)];
    let again = once(2, 1, publish("Mouse", usd(2_550)));
    let exists = ProductRefusal::Exists(product("mouse"));
    given::<Product>(&offered).when(again).then_refused(exists);
}

fn add(of: &str, digest: u8) -> ProductCommand {
    ProductCommand::AddPicture { picture: picture(of, digest) }
}

fn added(digest: u8) -> ProductEvent {
    ProductEvent::PictureAdded { picture: picture("mouse", digest) }
}

fn remove(digest: u8) -> ProductCommand {
    ProductCommand::RemovePicture { name: picture("mouse", digest).name }
}

fn removed(digest: u8) -> ProductEvent {
    ProductEvent::PictureRemoved { name: picture("mouse", digest).name }
}

#[test]
fn a_picture_is_shown_once_however_often_it_is_added() {
    given::<Product>(&[published(usd(2_550))]).when(add("mouse", 1)).then(&[added(1)]);
    given::<Product>(&[published(usd(2_550)), added(1)]).when(add("mouse", 1)).then(&[]);
}

#[test]
fn a_listing_shows_its_pictures_in_the_order_in_which_they_came() {
    let given =
        given::<Product>(&[published(usd(2_550)), added(2), added(1), removed(2), added(3)]);
    let listing = Product::view(given.state()).unwrap();
    assert_eq!(*listing.pictures, [picture("mouse", 1), picture("mouse", 3)]);
    assert_eq!(listing.version, 5);
}

#[test]
fn a_listing_shows_only_so_many_pictures() {
    let count = u8::try_from(PICTURES_MAX).unwrap();
    let full: Vec<_> = [published(usd(1))].into_iter().chain((0..count).map(added)).collect();
    given::<Product>(&full).when(add("mouse", count)).then_refused(ProductRefusal::TooManyPictures);
    given::<Product>(&full).when(add("mouse", 0)).then(&[]);
    let fewer: Vec<_> = full.into_iter().chain([removed(7)]).collect();
    given::<Product>(&fewer).when(add("mouse", count)).then(&[added(count)]);
}

#[test]
fn a_picture_that_is_not_shown_cannot_be_taken_away() {
    given::<Product>(&[published(usd(1)), added(1)]).when(remove(1)).then(&[removed(1)]);
    given::<Product>(&[published(usd(1)), added(1), removed(1)])
        .when(remove(1))
        .then_refused(ProductRefusal::UnknownPicture);
    given::<Product>(&[]).when(remove(1)).then_refused(ProductRefusal::Unknown);
}

#[test]
fn a_picture_of_another_product_is_refused() {
    given::<Product>(&[published(usd(1))])
        .when(add("laptop", 1))
        .then_refused(ProductRefusal::UnknownPicture);
    given::<Product>(&[]).when(add("mouse", 1)).then_refused(ProductRefusal::Unknown);
}

#[test]
fn a_late_repeat_of_an_upload_does_not_bring_a_picture_back() {
    let upload = || once(1, 1, add("mouse", 1));
    given::<Product>(&[published(usd(1))]).when(upload()).then(&[added(1), answered(1, 1)]);
    let later = [published(usd(1)), added(1), answered(1, 1), removed(1)];
    given::<Product>(&later).when(upload()).then(&[]);
}

#[test]
fn a_listing_that_was_written_before_there_were_pictures_has_none() {
    let old = r#"{"product":"mouse","name":"Mouse","price":{"minor":1,"currency":"USD"},
        "status":"active","version":3}"#;
    let listing: super::Listing = serde_json::from_str(old).unwrap();
    assert!(listing.pictures.is_empty());
    assert!(!serde_json::to_string(&listing).unwrap().contains("pictures"));
}

fn supply(key: u128, by: &str, name: &str, price: Money) -> ProductCommand {
    ProductCommand::Supply {
        request: keyed(key, 1),
        by: partner(by),
        product: product("mouse"),
        name: name.to_owned(),
        price,
        status: None,
    }
}

fn supplied(by: &str) -> ProductEvent {
    ProductEvent::Supplied { by: partner(by) }
}

#[test]
fn a_feed_offers_a_product_in_the_name_of_its_partner() {
    let offered = [published(usd(2_550)), supplied("acme"), answered(1, 1)];
    given::<Product>(&[]).when(supply(1, "acme", "Mouse", usd(2_550))).then(&offered);
    let hidden = ProductCommand::Supply {
        request: keyed(1, 1),
        by: partner("acme"),
        product: product("mouse"),
        name: "Mouse".to_owned(),
        price: usd(2_550),
        status: Some(ProductStatus::Inactive),
    };
    let inactive = ProductEvent::StatusChanged { status: ProductStatus::Inactive };
    let offered = [published(usd(2_550)), supplied("acme"), inactive, answered(1, 1)];
    assert_eq!(u64::try_from(offered.len()), Ok(VERSION_WHEN_SUPPLIED_MAX));
    given::<Product>(&[]).when(hidden).then(&offered);
}

#[test]
fn a_feed_changes_what_differs_and_writes_nothing_where_nothing_does() {
    let given = || given::<Product>(&[published(usd(2_550)), supplied("acme"), answered(1, 1)]);
    given().when(supply(2, "acme", "Mouse", usd(2_550))).then(&[]);
    given().when(supply(2, "acme", "Rat", usd(1))).then(&[
        renamed("Rat"),
        ProductEvent::Repriced { price: usd(1) },
        answered(2, 1),
    ]);
}

#[test]
fn a_row_that_comes_again_does_not_bring_an_old_price_back() {
    let later = [
        published(usd(2_550)),
        supplied("acme"),
        answered(1, 1),
        ProductEvent::Repriced { price: usd(9) },
    ];
    given::<Product>(&later).when(supply(1, "acme", "Mouse", usd(2_550))).then(&[]);
}

#[test]
fn a_partner_changes_neither_products_of_the_shop_nor_of_others() {
    let refused = || ProductRefusal::NotSupplied(product("mouse"));
    given::<Product>(&[published(usd(2_550))])
        .when(supply(1, "acme", "Mouse", usd(1)))
        .then_refused(refused());
    given::<Product>(&[published(usd(2_550)), supplied("acme")])
        .when(supply(1, "other", "Mouse", usd(1)))
        .then_refused(refused());
}

#[test]
fn a_feed_keeps_to_the_rules_of_prices() {
    given::<Product>(&[])
        .when(supply(1, "acme", "Mouse", usd(-1)))
        .then_refused(ProductRefusal::NegativePrice);
    given::<Product>(&[published(usd(2_550)), supplied("acme")])
        .when(supply(1, "acme", "Mouse", Money::new(2_550, Currency::EUR)))
        .then_refused(ProductRefusal::CurrencyChanged);
}

fn set(terms: &Terms) -> ProductCommand {
    ProductCommand::SetTerms { terms: terms.clone() }
}

fn taxed(tax_bps: u32) -> Terms {
    Terms { tax_bps, ..Terms::default() }
}

#[test]
fn terms_are_set_as_a_whole_and_once_cat_2() {
    let terms_set = |terms: &Terms| ProductEvent::TermsSet { terms: Arc::new(terms.clone()) };
    let history = [published(usd(2_550)), terms_set(&taxed(2_000))];
    given::<Product>(&history[..1]).when(set(&taxed(2_000))).then(&history[1..]);
    given::<Product>(&history).when(set(&taxed(2_000))).then(&[]);
    given::<Product>(&history).when(set(&Terms::default())).then(&[terms_set(&Terms::default())]);
    given::<Product>(&history[..1]).when(set(&Terms::default())).then(&[]);
    let plain = given::<Product>(&history).and(&[terms_set(&Terms::default())]);
    assert_eq!(Product::view(plain.state()).unwrap().terms, None);
    given::<Product>(&[]).when(set(&taxed(1))).then_refused(ProductRefusal::Unknown);
}

#[test]
fn terms_that_no_sale_can_be_made_on_are_refused_cat_8() {
    let euros = Money::new(1, Currency::EUR);
    let sale = |price, from, to| {
        let (starts_at, ends_at) = (seconds(from), seconds(to));
        let flash_sale = Some(FlashSale { price, starts_at, ends_at });
        Terms { flash_sale, ..Terms::default() }
    };
    let discount = |discount| Terms { discount: Some(discount), ..Terms::default() };
    for (terms, field) in [
        (discount(Discount::PercentBps(10_001)), "discount"),
        (discount(Discount::Amount(euros)), "discount"),
        (Terms { shipping_fee: Some(usd(-1)), ..Terms::default() }, "shipping_fee"),
        (Terms { duty_bps: 10_001, ..Terms::default() }, "duty_bps"),
        (taxed(10_001), "tax_bps"),
        (sale(euros, 0, 1), "flash_sale.price"),
        (sale(usd(1), 1, 1), "flash_sale.ends_at"),
    ] {
        let given = given::<Product>(&[published(usd(2_550))]);
        given.when(set(&terms)).then_refused(ProductRefusal::TermsUnsound(field));
    }
}

#[test]
fn an_archived_product_stays_as_it_is_cat_1() {
    let archived = ProductEvent::StatusChanged { status: ProductStatus::Archived };
    let archive = || revise(None, None, Some(ProductStatus::Archived));
    let history = [published(usd(2_550)), archived];
    given::<Product>(&history[..1]).when(archive()).then(&history[1..]);
    given::<Product>(&history).when(archive()).then(&[]);
    for change in [
        revise(Some("Rat"), None, None),
        revise(None, Some(usd(1)), None),
        revise(None, None, Some(ProductStatus::Active)),
        set(&taxed(1)),
    ] {
        given::<Product>(&history).when(change).then_refused(ProductRefusal::Archived);
    }
}
