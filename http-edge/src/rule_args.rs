//! What a shop demands of orders, as the command line and the environment tell it.

use std::ops::RangeInclusive;
use std::str::FromStr as _;
use std::time::Duration;

use clap::{Args, ValueEnum};
use engine::buyer::RECENT_MAX;
use engine::fraud::{FraudPolicy, Pace};
use engine::validation::{Country, Demands, Policy, Region};
use engine::values::{Currency, Money, PaymentMethod};

/// Orders that can be counted before the one that is judged: a buyer's actor remembers one more.
const PACE_ORDERS: RangeInclusive<u32> = 1..=99;
const _: () = assert!(RECENT_MAX == 100, "as many as can be counted are remembered");
/// Seconds within which they are counted.
const PACE_SECONDS: RangeInclusive<u64> = 1..=86_400;

/// What a shop demands of orders.
#[derive(Clone, Debug, Default, Args)]
pub struct RuleArgs {
    /// Pack of what is usual somewhere: generic, or PH for phone numbers and limits of the
    /// Philippines. PH in the demo, else generic.
    #[arg(long, env = "MILLRACE_REGION")]
    pub region: Option<Region>,

    /// What every order must say, separated by commas; absent: none of it.
    #[arg(long, env = "MILLRACE_REQUIRE", value_delimiter = ',')]
    pub require: Vec<Demand>,

    /// Countries that goods are delivered to, as two capital letters each, separated by commas;
    /// absent: all.
    #[arg(long, env = "MILLRACE_DELIVERS_TO", value_delimiter = ',', value_parser = country)]
    pub delivers_to: Vec<Country>,

    /// Payment methods that the shop takes, as orders call them, separated by commas; absent: all.
    #[arg(long, env = "MILLRACE_PAYMENT_METHODS", value_delimiter = ',', value_parser = method)]
    pub payment_methods: Vec<PaymentMethod>,

    /// The most that may be paid on delivery before somebody looks, as a currency and its smallest
    /// units, for example PHP:5000000. Absent: as the region says, in generic no limit.
    #[arg(long, env = "MILLRACE_COD_LIMIT", value_parser = money)]
    pub cod_limit: Option<Money>,

    /// The most that the first order of a buyer may cost before somebody looks, as above; absent: no
    /// limit.
    #[arg(long, env = "MILLRACE_FIRST_ORDER_LIMIT", value_parser = money)]
    pub first_order_limit: Option<Money>,

    /// How many orders a named buyer may place in how many seconds before somebody looks, for example
    /// 20/600; absent: nobody counts.
    #[arg(long, env = "MILLRACE_ORDERS_PER_BUYER", value_parser = pace)]
    pub orders_per_buyer: Option<Pace>,

    /// Let somebody look at orders whose phone number and address are in different countries.
    #[arg(long, env = "MILLRACE_SUSPECT_ADDRESS_MISMATCH")]
    pub suspect_address_mismatch: bool,
}

/// Something that an order may leave out unless the shop demands it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Demand {
    /// How it is paid.
    Payment,
    /// Where the goods go.
    Address,
    /// Whom to call.
    Phone,
}

fn country(text: &str) -> Result<Country, String> {
    Country::parse(text).ok_or_else(|| "two capital letters name a country".to_owned())
}

fn method(text: &str) -> Result<PaymentMethod, String> {
    PaymentMethod::named(text).ok_or_else(|| "one of card, cash, cod, store_credit".to_owned())
}

fn money(text: &str) -> Result<Money, String> {
    let read = || {
        let (currency, minor) = text.split_once(':')?;
        let minor = i64::from_str(minor).ok().filter(|minor| 0 <= *minor)?;
        Some(Money::new(minor, Currency::from_code(currency)?))
    };
    read().ok_or_else(|| "a currency and its smallest units, for example PHP:5000000".to_owned())
}

fn pace(text: &str) -> Result<Pace, String> {
    let read = || {
        let (orders, seconds) = text.split_once('/')?;
        let orders = u32::from_str(orders).ok().filter(|orders| PACE_ORDERS.contains(orders))?;
        let seconds =
            u64::from_str(seconds).ok().filter(|seconds| PACE_SECONDS.contains(seconds))?;
        Some(Pace { orders, within: Duration::from_secs(seconds) })
    };
    read().ok_or_else(|| "1 to 99 orders in 1 to 86400 seconds, for example 20/600".to_owned())
}

impl RuleArgs {
    /// The same, in this region unless another one was named.
    #[must_use]
    pub fn usually_in(mut self, region: Region) -> Self {
        self.region.get_or_insert(region);
        self
    }

    /// What the rules are told.
    pub fn policy(&self) -> Policy {
        let demands = |demand| self.require.contains(&demand);
        Policy {
            region: self.region.unwrap_or_default(),
            demands: Demands {
                payment: demands(Demand::Payment),
                address: demands(Demand::Address),
                phone: demands(Demand::Phone),
            },
            fraud: FraudPolicy {
                cod_limit: self.cod_limit.or_else(|| self.region.unwrap_or_default().cod_limit()),
                first_order_limit: self.first_order_limit,
                pace: self.orders_per_buyer,
                address_mismatch: self.suspect_address_mismatch,
            },
            delivers_to: (!self.delivers_to.is_empty()).then(|| self.delivers_to.clone().into()),
            takes: (!self.payment_methods.is_empty()).then(|| self.payment_methods.clone().into()),
            sales_are_off: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_demanded_unless_somebody_says_so_c_41() {
        assert_eq!(RuleArgs::default().policy(), Policy::default());
        let told = RuleArgs {
            require: vec![Demand::Address, Demand::Phone],
            delivers_to: vec![Country::PH],
            ..RuleArgs::default()
        };
        let policy = told.usually_in(Region::Philippines).policy();
        assert_eq!(policy.region, Region::Philippines);
        assert_eq!(policy.demands, Demands { payment: false, address: true, phone: true });
        assert_eq!(policy.delivers_to.as_deref(), Some(&[Country::PH][..]));
        assert_eq!(policy.fraud.cod_limit, Some(Money::new(5_000_000, Currency::PHP)));
        let named = RuleArgs { region: Some(Region::Generic), ..RuleArgs::default() };
        let policy = named.usually_in(Region::Philippines).policy();
        assert_eq!((policy.region, policy.fraud), (Region::Generic, FraudPolicy::default()));
    }

    #[test]
    fn methods_are_called_as_in_orders() {
        let all = PaymentMethod::ALL.map(|known| method(known.as_str()));
        assert_eq!(all, PaymentMethod::ALL.map(Ok));
        assert!(method("cheque").is_err());
    }

    #[test]
    fn limits_are_read_exactly_or_not_at_all() {
        assert_eq!(money("PHP:5000000"), Ok(Money::new(5_000_000, Currency::PHP)));
        for bad in ["", "PHP", "PHP:", "PHP:-1", "PHP:1.5", "php:1", "XYZ:1", "5000000"] {
            assert!(money(bad).is_err(), "{bad}");
        }
        let within = Duration::from_mins(10);
        assert_eq!(pace("20/600"), Ok(Pace { orders: 20, within }));
        for bad in ["", "20", "0/600", "100/600", "20/0", "20/86401", "20/600/1", "a/b"] {
            assert!(pace(bad).is_err(), "{bad}");
        }
    }
}
