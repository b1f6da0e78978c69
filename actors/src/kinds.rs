//! Which aggregates the engine hosts, a line for each, and what is done for all of them.

use engine::Aggregate;
use engine::buyer::Buyer;
use engine::cart::Cart;
use engine::catalog::Product;
use engine::drill::Drill;
use engine::endpoint::Endpoints;
use engine::import::Import;
use engine::inventory::Inventory;
use engine::job::Job;
use engine::order::Order;
use engine::partner::Partners;
use engine::promo::Promo;
use engine::reviews::Reviews;
use engine::rma::Return;
use engine::toggle::Switchboard;

use crate::directory::{Bounds, Directory, Hosted};
use crate::projector::entries::{Folded, StateOf};
use crate::system::World;

/// Something to do with the directory of a kind that is known by name only.
pub(crate) trait WithKind {
    /// What comes out.
    type Output;
    /// Does it.
    fn call<A: Hosted>(self, world: &World) -> Self::Output;
}

macro_rules! kinds {
    ($($(#[$why:meta])* $field:ident: $kind:ty, snapshots: $snapshots:expr
        $(, is_new: $newcomers:ident)?;)*) => {
        /// The directory of each kind.
        pub(crate) struct Kinds {
            $($(#[$why])* pub(crate) $field: Directory<$kind>,)*
        }

        impl Kinds {
            /// Empty directories.
            pub(crate) fn new(bounds: impl Fn() -> Bounds) -> Self {
                Self { $($field: Directory::new(bounds()),)* }
            }

            /// Does something with the directory of a kind that is known by name only.
            pub(crate) fn with<W: WithKind>(world: &World, kind: &str, with: W) -> Option<W::Output> {
                match kind {
                    $(<$kind>::KIND => Some(with.call::<$kind>(world)),)*
                    _ => None,
                }
            }

            /// Does something with every directory; what comes out, in the order of the table.
            pub(crate) fn with_each<W: WithKind + Copy>(world: &World, with: W) -> Vec<W::Output> {
                vec![$(with.call::<$kind>(world),)*]
            }
        }

        /// An empty state to fold the events of a listed kind into; nothing for other kinds.
        pub(crate) fn state_of(kind: &str) -> Option<Box<dyn Folded>> {
            match kind {
                $(<$kind>::KIND if <$kind>::IS_LISTED => Some(Box::new(StateOf::<$kind>::default())),)*
                _ => None,
            }
        }

        $(impl Hosted for $kind {
            const SNAPSHOTS: bool = $snapshots;
            $(
                fn is_new(world: &World, key: &str) -> bool {
                    world.$newcomers.is_new(key)
                }
            )?

            fn directory(world: &World) -> &Directory<Self> {
                &world.kinds.$field
            }
        })*
    };
}

// Snapshots are kept of what has long histories: a stock has one or two events for every sale,
// a buyer one for each order where those are counted; a listing, a cart and an order have few in all.
kinds! {
    /// Listings.
    products: Product, snapshots: false;
    /// Stocks.
    inventories: Inventory, snapshots: true;
    /// Carts.
    carts: Cart, snapshots: false;
    /// Orders with their payments.
    orders: Order, snapshots: false, is_new: newcomers;
    /// Buyers whom the shop trusts or counts the orders of.
    buyers: Buyer, snapshots: true;
    /// The list of orders that somebody has to look at.
    reviews: Reviews, snapshots: true;
    /// Returns.
    returns: Return, snapshots: false;
    /// The log of faults that were injected on purpose.
    drills: Drill, snapshots: false;
    /// Webhook endpoints.
    endpoints: Endpoints, snapshots: false;
    /// Feeds of partners.
    imports: Import, snapshots: false;
    /// The register of partners.
    partners: Partners, snapshots: false;
    /// The switches of features.
    toggles: Switchboard, snapshots: false;
    /// Promo codes.
    promos: Promo, snapshots: false;
    /// Jobs with their runs.
    jobs: Job, snapshots: false;
}
