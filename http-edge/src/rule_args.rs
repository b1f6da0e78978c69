//! What a shop demands of orders, as the command line and the environment tell it.

use clap::{Args, ValueEnum};
use engine::validation::{Country, Demands, Policy, Region};

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
            delivers_to: (!self.delivers_to.is_empty()).then(|| self.delivers_to.clone().into()),
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
        let named = RuleArgs { region: Some(Region::Generic), ..RuleArgs::default() };
        assert_eq!(named.usually_in(Region::Philippines).policy().region, Region::Generic);
    }
}
