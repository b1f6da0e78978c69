//! Registers that everybody asks at any moment: who is a partner, and which features are on.
//!
//! Each is the view of one stream, read before anything is served and kept from then on. Who asks
//! reads a pointer. What becomes durable is seen at once where it was asked here, and within a
//! quarter of a second where nobody waited for it any more.

use std::sync::{Arc, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;
use engine::partner::{Partners, REGISTER, Registered};
use engine::toggle::{SWITCHES, Switchboard, Switches, Toggle};
use tokio::time::{Instant, sleep};

use crate::directory::Hosted;
use crate::outcome::{Accepted, Asking, Cause, NotDone};
use crate::reads::ReadError;
use crate::system::{OrderSystem, World};

/// How often it is looked whether something became durable that nobody waited for.
const TICK: Duration = Duration::from_millis(250);
/// Longest time to read a register before anything is served.
const READ_WITHIN: Duration = Duration::from_secs(10);

/// The newest durable view of one stream.
pub struct Register<A: Hosted> {
    key: &'static str,
    known: ArcSwap<(u64, A::View)>,
}

impl<A: Hosted> Register<A> {
    fn empty(key: &'static str) -> Self {
        let view = A::view(&A::State::default());
        Self { key, known: ArcSwap::from_pointee((0, view)) }
    }

    /// The view, and the version that counts its changes.
    pub fn current(&self) -> Arc<(u64, A::View)> {
        self.known.load_full()
    }

    /// Takes a view in, unless it is older than what is known.
    fn note(&self, version: u64, view: &A::View) {
        if self.known.load().0 < version {
            let new = Arc::new((version, view.clone()));
            self.known.rcu(|known| Arc::clone(if known.0 < version { &new } else { known }));
        }
    }

    fn follow(&self, world: &World) {
        if let Some(published) = A::directory(world).view(self.key) {
            self.note(published.version, &published.view);
        }
    }

    async fn read(&self, world: &Arc<World>) -> Result<(), ReadError> {
        let asking = Asking { deadline: Instant::now() + READ_WITHIN, cause: Cause::default() };
        let read = A::directory(world).ask(world, self.key, None, asking).await;
        let read = read.map_err(|_| ReadError::Entity)?;
        self.note(read.version, &read.view);
        Ok(())
    }
}

impl Register<Switchboard> {
    /// Whether a feature is on.
    pub fn is_on(&self, toggle: Toggle) -> bool {
        self.known.load().1.is_on(toggle)
    }

    /// How all features stand.
    pub fn switches(&self) -> Arc<Switches> {
        Arc::clone(&self.known.load().1)
    }
}

impl Register<Partners> {
    /// All partners.
    pub fn all(&self) -> Registered {
        self.known.load().1.clone()
    }
}

/// All registers.
pub(crate) struct Registers {
    toggles: Register<Switchboard>,
    partners: Register<Partners>,
}

impl Default for Registers {
    fn default() -> Self {
        Self { toggles: Register::empty(SWITCHES), partners: Register::empty(REGISTER) }
    }
}

impl OrderSystem {
    /// Which features are on.
    pub fn toggles(&self) -> &Register<Switchboard> {
        &self.world.registers.toggles
    }

    /// Who is a partner.
    pub fn partners(&self) -> &Register<Partners> {
        &self.world.registers.partners
    }

    /// Reads the registers and follows them from then on. Nothing is to be served before.
    ///
    /// # Errors
    ///
    /// [`ReadError`] when one cannot be read.
    pub async fn follow_registers(&self) -> Result<(), ReadError> {
        self.toggles().read(&self.world).await?;
        self.partners().read(&self.world).await?;
        let here = Arc::downgrade(&self.world);
        self.background().keep("registers", move || attend(Weak::clone(&here)));
        Ok(())
    }

    /// Asks a register; who reads it afterwards sees what came of it.
    ///
    /// # Errors
    ///
    /// See [`NotDone`]. After `Unknown` it is seen as soon as it turns out to be durable.
    pub async fn ask_register<A: Hosted>(
        &self,
        register: &Register<A>,
        command: A::Command,
        asking: Asking,
    ) -> Result<Accepted<A>, NotDone<A::Refusal>> {
        let asked = self.ask::<A>(register.key, command, asking).await?;
        register.note(asked.version, &asked.view);
        Ok(asked)
    }
}

async fn attend(world: Weak<World>) {
    while let Some(world) = world.upgrade() {
        world.registers.toggles.follow(&world);
        world.registers.partners.follow(&world);
        drop(world);
        sleep(TICK).await;
    }
}
