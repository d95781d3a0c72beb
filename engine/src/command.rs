//! Commands: everything that can change the state, one file each beneath this one.
//!
//! A command is a value that was validated at a door, stamped by the leader and replicated. Each file
//! holds one verb: what it carries, what it answers, `validate`, then `// From here the command must
//! succeed.`, then the mutation. The first refusal in the documented order is the answer.

pub mod allot;
pub mod archive;
pub mod block;
pub mod cancel;
pub mod catalogue;
pub mod check_in;
pub mod check_out;
pub mod confirm;
pub mod extend;
pub mod genesis;
pub mod hold;
pub mod modify;
pub mod no_show;
pub mod payment;
pub mod promo;
pub mod release;
pub mod remove;
mod revive;
pub mod sweep;
pub mod taxes;
pub mod tick;
pub mod waitlist;

pub use allot::Allot;
pub use archive::Archive;
pub use block::{AddBlock, ChangeBlock, ReleaseBlock};
pub use cancel::Cancel;
pub use catalogue::{
    AddHotel, AddPartner, AddRatePlan, AddRoomType, ChangeHotel, ChangeRatePlan, ChangeRoomType,
    SetHotelStatus,
};
pub use check_in::CheckIn;
pub use check_out::CheckOut;
pub use confirm::Confirm;
pub use extend::Extend;
pub use genesis::Genesis;
pub use hold::{Hold, HoldLine};
pub use modify::Modify;
pub use no_show::NoShow;
pub use payment::{BeginPayment, DeclinePayment};
pub use promo::{AddPromo, ChangePromo, RemovePromo};
pub use release::Release;
pub use remove::{RemoveRatePlan, RemoveRoomType};
pub use sweep::Sweep;
pub use taxes::SetTaxes;
pub use tick::Tick;
pub use waitlist::{JoinWaitlist, LeaveWaitlist};

use crate::civil::LogTimeMs;
use crate::codec::{Decode, Encode};
use crate::ids::PartnerId;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum Principal {
    Guest(u128),
    /// A partner organisation.
    Partner(u128),
    Admin(u128),
}

impl Principal {
    /// Whether guests' quotas apply.
    #[must_use]
    pub const fn is_guest(self) -> bool {
        matches!(self, Self::Guest(_))
    }

    /// Whether this principal may read and change what `owner` made in a hotel of `partner`.
    #[must_use]
    pub fn may_touch(self, owner: Self, partner: PartnerId) -> bool {
        self == owner || self.acts_for(partner)
    }

    /// Whether this principal may act for a partner's hotels.
    #[must_use]
    pub fn acts_for(self, partner: PartnerId) -> bool {
        match self {
            Self::Guest(_) => false,
            Self::Partner(id) => id == partner.0,
            Self::Admin(_) => true,
        }
    }
}

/// A client's promise that two requests are one. Both are digests made at the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Idempotency {
    /// Of principal, method, path and the client's key.
    pub key: u128,
    /// Of the parsed request.
    pub fingerprint: u128,
}

/// One command, with the key its answer is stored under.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Command {
    pub idempotency: Option<Idempotency>,
    pub verb: Verb,
}

impl Command {
    /// A command whose answer is not stored.
    #[must_use]
    pub const fn plain(verb: Verb) -> Self {
        Self { idempotency: None, verb }
    }
}

/// What a command does. The tags are part of the log's format: append only.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Verb {
    Genesis(Genesis),
    Tick(Tick),
    Sweep(Sweep),
    AddPartner(AddPartner),
    AddHotel(AddHotel),
    ChangeHotel(ChangeHotel),
    SetHotelStatus(SetHotelStatus),
    AddRoomType(AddRoomType),
    ChangeRoomType(ChangeRoomType),
    AddRatePlan(AddRatePlan),
    ChangeRatePlan(ChangeRatePlan),
    Allot(Allot),
    Hold(Hold),
    Extend(Extend),
    Release(Release),
    BeginPayment(BeginPayment),
    DeclinePayment(DeclinePayment),
    Confirm(Confirm),
    Cancel(Cancel),
    CheckIn(CheckIn),
    CheckOut(CheckOut),
    NoShow(NoShow),
    SetTaxes(SetTaxes),
    AddBlock(AddBlock),
    ChangeBlock(ChangeBlock),
    ReleaseBlock(ReleaseBlock),
    Modify(Modify),
    JoinWaitlist(JoinWaitlist),
    LeaveWaitlist(LeaveWaitlist),
    RemoveRoomType(RemoveRoomType),
    RemoveRatePlan(RemoveRatePlan),
    Archive(Archive),
    AddPromo(AddPromo),
    ChangePromo(ChangePromo),
    RemovePromo(RemovePromo),
}

/// What one log entry carries: commands of many connections, stamped once.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Batch {
    /// The log's clock. Never below the entry before; where it is, the entry before's counts.
    pub at_ms: LogTimeMs,
    pub commands: Vec<Command>,
}
