//! What a listing does, rule by rule.

use super::{ListingState, Product, ProductCommand, ProductEvent, ProductRefusal, ProductStatus};
use crate::aggregate::Aggregate;
use crate::samples::{keyed, product, usd};
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
