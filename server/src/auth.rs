//! Who is asking: tokens, the principals behind them, and what each role may do.
//!
//! It owns identity, not permission on a particular hotel: a partner's reach is checked where the
//! hotel is known. Ids of subjects are derived, never looked up, so a token minted while the node
//! is down means the same after it starts.

pub mod cache;
pub mod extract;
pub mod keys;

use holdfast_engine::Principal as EnginePrincipal;
use holdfast_engine::ids::{PartnerId, UserId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use extract::{Admin, AnyPrincipal, Guest, Manager, MaybePrincipal, Partner};
pub use keys::Keys;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Guest,
    Partner,
    Admin,
}

impl Role {
    pub fn name(self) -> &'static str {
        match self {
            Self::Guest => "guest",
            Self::Partner => "partner",
            Self::Admin => "admin",
        }
    }
}

/// A verified caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    pub role: Role,
    pub user: UserId,
    /// The organisation; set for partners and nobody else.
    pub org: Option<PartnerId>,
    /// The token's subject, for the audit trail.
    pub subject: String,
    /// Seconds since 1970 after which the token no longer counts.
    pub expires_s: u64,
}

impl Principal {
    /// As the engine knows it: a guest or admin by user, a partner by organisation.
    pub fn acting(&self) -> EnginePrincipal {
        match (self.role, self.org) {
            (Role::Guest, _) => EnginePrincipal::Guest(self.user.0),
            (Role::Partner, Some(org)) => EnginePrincipal::Partner(org.0),
            // A partner without an organisation is refused when its token is read.
            (Role::Partner, None) => EnginePrincipal::Partner(self.user.0),
            (Role::Admin, _) => EnginePrincipal::Admin(self.user.0),
        }
    }
}

/// The organisation of a partner subject: the same subject is the same organisation everywhere.
pub fn org_of(subject: &str) -> PartnerId {
    PartnerId(in_first_group(digest_id("partner", subject)))
}

/// The user id of a subject in a role.
pub fn user_of(role: Role, subject: &str) -> UserId {
    let kind = match role {
        Role::Guest => "guest",
        Role::Partner => "partner-user",
        Role::Admin => "admin",
    };
    UserId(in_first_group(digest_id(kind, subject)))
}

/// First 128 bits of SHA-256 over `kind:subject`.
fn digest_id(kind: &str, subject: &str) -> u128 {
    let digest =
        Sha256::new().chain_update(kind).chain_update(":").chain_update(subject).finalize();
    digest.iter().take(16).fold(0, |id, byte| (id << 8) | u128::from(*byte))
}

/// An id's last 16 bits name the Raft group it lives in; every derived id starts in group 0.
fn in_first_group(id: u128) -> u128 {
    id & !0xFFFF
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_subject_is_one_organisation_and_roles_do_not_mix() {
        assert_eq!(org_of("chain-a"), org_of("chain-a"));
        assert_ne!(org_of("chain-a"), org_of("chain-b"));
        assert_ne!(user_of(Role::Guest, "a").0, user_of(Role::Admin, "a").0);
        assert_eq!(org_of("chain-a").group(), 0);
    }
}
