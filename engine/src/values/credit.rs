//! Store credit, and the stock that counts it: each unit is one smallest unit of its currency.

use super::ids::{CustomerId, ProductId};
use super::money::{Currency, Money};
use super::quantity::Quantity;

/// What the names of stocks of credit begin with. No product can be named so.
const CREDIT: &str = "credit/";

/// Whose store credit, and in which currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreditAccount {
    customer: CustomerId,
    currency: Currency,
}

impl CreditAccount {
    /// The credit of a customer in a currency.
    pub const fn new(customer: CustomerId, currency: Currency) -> Self {
        Self { customer, currency }
    }

    /// The account that a stock of that name counts, if it counts one.
    pub fn of_stock(name: &str) -> Option<Self> {
        let (currency, customer) = name.strip_prefix(CREDIT)?.split_once('/')?;
        let currency = Currency::from_code(currency)?;
        Some(Self { customer: CustomerId::parse(customer).ok()?, currency })
    }

    /// Whose it is.
    pub const fn customer(&self) -> &CustomerId {
        &self.customer
    }

    /// Its currency.
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    /// Whether a stock of that name counts credit.
    pub(crate) fn is_counted_by(stock: &str) -> bool {
        stock.starts_with(CREDIT)
    }

    /// The stock that counts it: credit is held, committed and released as units of a product are.
    pub fn stock(&self) -> ProductId {
        ProductId::unchecked(&format!("{CREDIT}{}/{}", self.currency.code(), self.customer))
    }

    /// So many units of the account as money.
    pub fn money(&self, units: Quantity) -> Money {
        Money::new(i64::from(units.units()), self.currency)
    }
}

impl Money {
    /// As many units as there are smallest units; nothing for what no stock can count.
    pub fn as_units(self) -> Option<Quantity> {
        u32::try_from(self.minor()).ok().map(Quantity::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_the_name_of_its_stock() {
        let customer = CustomerId::parse("alice@example.com").unwrap();
        let account = CreditAccount::new(customer, Currency::EUR);
        let stock = account.stock();
        assert_eq!(stock.as_str(), "credit/EUR/alice@example.com");
        assert_eq!(CreditAccount::of_stock(stock.as_str()), Some(account));
        assert!(ProductId::parse(stock.as_str()).is_err(), "no product is named so");
        for other in ["credit/", "credit/EUR/", "credit/XX/alice", "promo/SPRING", "mouse"] {
            assert_eq!(CreditAccount::of_stock(other), None, "{other}");
        }
    }

    #[test]
    fn money_that_no_stock_can_count_has_no_units() {
        let units = |minor| Money::new(minor, Currency::EUR).as_units().map(Quantity::units);
        assert_eq!(units(4_294_967_295), Some(u32::MAX));
        assert_eq!([units(4_294_967_296), units(-1)], [None, None]);
    }
}
