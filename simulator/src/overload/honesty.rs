//! Whether what was sold is what clients were told, product by product.

use std::collections::BTreeMap;

use crate::record::Stock;

/// What clients were told of one product.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Told {
    /// Orders that were acknowledged.
    acknowledged: u64,
    /// Keys of which clients do not know what came of them, whatever number of tries.
    unknown: u64,
}

/// What clients were told, by product. An order is of one unit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sales(BTreeMap<u32, Told>);

impl Sales {
    /// An order of this product was acknowledged.
    pub(super) fn acknowledged(&mut self, product: u32) {
        self.0.entry(product).or_default().acknowledged += 1;
    }

    /// A client left who does not know whether this product was bought.
    pub(super) fn unknown(&mut self, product: u32) {
        self.0.entry(product).or_default().unknown += 1;
    }

    /// Adds what others were told.
    pub(super) fn add(&mut self, other: &Self) {
        for (product, told) in &other.0 {
            let sum = self.0.entry(*product).or_default();
            sum.acknowledged += told.acknowledged;
            sum.unknown += told.unknown;
        }
    }

    fn of(&self, product: u32) -> Told {
        self.0.get(&product).copied().unwrap_or_default()
    }
}

/// A look at all product pages: what was put on the shelf, and what the page says.
pub(super) type Look = BTreeMap<u32, (u64, Stock)>;

/// Whether an order is under way.
pub(super) fn is_settled(look: &Look) -> bool {
    look.values().all(|(_, stock)| stock.held == 0)
}

/// The books as they were agreed upon last, and what clients were told since then.
#[derive(Clone, Debug, Default)]
pub(super) struct Books {
    taken: BTreeMap<u32, u64>,
    told: Sales,
}

impl Books {
    /// Clients were told more.
    pub(super) fn add(&mut self, sales: &Sales) {
        self.told.add(sales);
    }

    /// What is wrong, in words.
    pub(super) fn violations(&self, look: &Look) -> Vec<String> {
        look.iter().filter_map(|(product, seen)| self.violation(*product, *seen)).collect()
    }

    fn violation(&self, product: u32, (loaded, stock): (u64, Stock)) -> Option<String> {
        let gone = taken(stock);
        let accounted = gone.saturating_add(stock.available);
        if accounted != loaded {
            return Some(format!(
                "product {product}: {accounted} units are accounted for, {loaded} were loaded"
            ));
        }
        let before = self.taken.get(&product).copied().unwrap_or_default();
        let Told { acknowledged, unknown } = self.told.of(product);
        let least = before.saturating_add(acknowledged);
        let most = least.saturating_add(unknown);
        (!(least..=most).contains(&gone)).then(|| {
            format!(
                "product {product}: {gone} units taken, {before} of them before; since then \
                 {acknowledged} orders acknowledged and {unknown} unknown"
            )
        })
    }

    /// Agrees upon what the pages say once nothing is under way: what was unknown so far is known
    /// from then on and excuses nothing any more.
    pub(super) fn rebase(&mut self, look: &Look) {
        self.taken = look.iter().map(|(product, (_, stock))| (*product, taken(*stock))).collect();
        self.told = Sales::default();
    }
}

fn taken(stock: Stock) -> u64 {
    stock.sold.saturating_add(stock.held)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stock(available: u64, held: u64, sold: u64) -> Stock {
        Stock { on_hand: available + held, held, available, sold }
    }

    fn look(sold: [u64; 2]) -> Look {
        let page = |sold| (100, stock(100 - sold, 0, sold));
        Look::from([(1, page(sold[0])), (2, page(sold[1]))])
    }

    fn books(acknowledged: u64, unknown: u64) -> Books {
        let mut sales = Sales::default();
        for product in [1, 2] {
            (0..acknowledged).for_each(|_| sales.acknowledged(product));
            (0..unknown).for_each(|_| sales.unknown(product));
        }
        let mut books = Books::default();
        books.add(&sales);
        books
    }

    #[test]
    fn honest_books_have_no_room_for_a_unit_more_or_less() {
        let books = books(10, 1);
        assert!(books.violations(&look([10, 11])).is_empty());
        assert_eq!(books.violations(&look([9, 12])).len(), 2);
        let mut lost = look([10, 10]);
        lost.insert(1, (101, lost[&1].1));
        assert_eq!(books.violations(&lost).len(), 1);
    }

    #[test]
    fn one_product_does_not_make_up_for_another() {
        assert_eq!(books(10, 0).violations(&look([15, 5])).len(), 2);
    }

    #[test]
    fn what_was_unknown_excuses_nothing_once_all_has_settled() {
        let mut books = books(10, 5);
        books.rebase(&look([12, 12]));
        assert!(books.violations(&look([12, 12])).is_empty());
        assert_eq!(books.violations(&look([13, 11])).len(), 2);
    }

    #[test]
    fn units_that_are_held_say_that_an_order_is_under_way() {
        let mut look = look([1, 1]);
        assert!(is_settled(&look));
        look.insert(1, (100, stock(98, 1, 1)));
        assert!(!is_settled(&look));
    }
}
