//! Promotions: what one says is reserved is what live holds have of it, what is committed what bookings
//! have that were not cancelled; and nobody is given more than the caps allow.
//!
//! It owns books of its own of who has what, and of what bookings had that have left for the archive. A cap
//! that was cut below what is used is no finding: only what was given since is held against it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::archive::Archive;
use super::books::Owner;
use super::finding::Findings;
use crate::booking::{self, Booking};
use crate::civil::Night;
use crate::event::Event;
use crate::hold::{Hold, Terms};
use crate::ids::PromoId;
use crate::promo::{Promo, Tally};
use crate::state::{Shared, Writer};

/// What one hold or booking has of a promotion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Claim {
    promo: PromoId,
    off: i64,
    committed: bool,
    check_out: Night,
}

/// All claims and their sums.
#[derive(Debug, Default)]
pub(super) struct Promos {
    claims: BTreeMap<Owner, Claim>,
    /// Reserved, committed.
    sums: BTreeMap<PromoId, [Tally; 2]>,
    /// Committed by bookings that have left memory.
    archived: BTreeMap<PromoId, Tally>,
}

/// What the events of an entry say of promotions.
#[derive(Debug, Default)]
pub(super) struct Touched {
    /// Taken by a hold.
    pub given: BTreeSet<PromoId>,
    /// Described anew, so that more may be used than the caps allow.
    pub changed: BTreeSet<PromoId>,
}

impl Promos {
    /// To be called after every entry, checked or not.
    pub fn note(&mut self, events: &[Event]) {
        for event in events {
            if let Event::BookingArchived(booking) = event
                && let Some(claim) = claim_of_booking(booking)
            {
                self.keep(claim.promo, Tally::one(claim.off));
            }
        }
    }

    fn keep(&mut self, promo: PromoId, more: Tally) {
        let sum = self.archived.entry(promo).or_default();
        *sum = sum.plus(more).unwrap_or_default();
    }

    /// From the tables alone.
    fn recount(shared: &Shared) -> Self {
        let mut promos = Self::default();
        for (id, hold) in shared.holds.iter() {
            promos.put(Owner::Hold(id), claim_of_hold(&hold));
        }
        for (id, booking) in shared.bookings.iter() {
            promos.put(Owner::Booking(id), claim_of_booking(&booking));
        }
        promos
    }

    /// Looks owners up again and checks what they had and have.
    pub fn after<'a>(
        &mut self,
        owners: impl Iterator<Item = &'a Owner>,
        touched: &Touched,
        writer: &Writer,
        findings: &mut Findings,
    ) {
        let mut looked_at: BTreeSet<_> = touched.changed.clone();
        for &owner in owners {
            let shared = &writer.shared;
            let claim = match owner {
                Owner::Hold(id) => shared.holds.get(&id).and_then(|hold| claim_of_hold(&hold)),
                Owner::Booking(id) => {
                    shared.bookings.get(&id).and_then(|booking| claim_of_booking(&booking))
                }
                Owner::Block(_) => continue,
            };
            looked_at.extend(claim.map(|claim| claim.promo));
            looked_at.extend(self.put(owner, claim));
        }
        for id in looked_at {
            self.check(id, writer, findings);
        }
        for id in touched.given.difference(&touched.changed) {
            check_caps(*id, writer, findings);
        }
    }

    /// Counts anew from the tables, and checks everything.
    pub fn renew(&mut self, is_first: bool, archive: &Archive, writer: &Writer, to: &mut Findings) {
        let recounted = Self::recount(&writer.shared);
        if !is_first {
            let owners: BTreeSet<_> =
                self.claims.keys().chain(recounted.claims.keys()).copied().collect();
            for owner in owners {
                let (known, now) = (self.claims.get(&owner), recounted.claims.get(&owner));
                if known != now {
                    to.add(("promos", owner.to_string(), None), Shown(known), Shown(now));
                }
            }
        }
        (self.claims, self.sums) = (recounted.claims, recounted.sums);
        self.archived.retain(|id, _| writer.shared.promos.contains(id));
        if is_first && archive.has_some_before() {
            self.believe(&writer.shared);
        }
        let ids: BTreeSet<_> = writer
            .shared
            .promos
            .iter()
            .map(|(id, _)| id)
            .chain(self.sums.keys().copied())
            .collect();
        for id in ids {
            self.check(id, writer, to);
        }
        check_codes(writer, to);
    }

    /// What bookings have that left before anyone looked cannot be told: it is what is left.
    fn believe(&mut self, shared: &Shared) {
        for (id, promo) in shared.promos.iter() {
            let [_, committed] = self.sums.get(&id).copied().unwrap_or_default();
            let known = self.archived.get(&id).copied().unwrap_or_default();
            let rest = promo.committed.minus(committed).and_then(|rest| rest.minus(known));
            self.keep(id, rest.unwrap_or_default());
        }
    }

    /// Counts a claim in the place of the owner's last; the promotion of that one.
    fn put(&mut self, owner: Owner, claim: Option<Claim>) -> Option<PromoId> {
        let before = match claim {
            Some(claim) => self.claims.insert(owner, claim),
            None => self.claims.remove(&owner),
        };
        for (claim, add) in [(before, false), (claim, true)] {
            let Some(claim) = claim else { continue };
            let sums = self.sums.entry(claim.promo).or_default();
            let [reserved, committed] = sums;
            let sum = if claim.committed { committed } else { reserved };
            let one = Tally::one(claim.off);
            *sum = if add { sum.plus(one) } else { sum.minus(one) }.unwrap_or_default();
            if *sums == [Tally::default(); 2] {
                self.sums.remove(&claim.promo);
            }
        }
        before.map(|claim| claim.promo)
    }

    fn check(&self, id: PromoId, writer: &Writer, findings: &mut Findings) {
        let [reserved, committed] = self.sums.get(&id).copied().unwrap_or_default();
        let archived = self.archived.get(&id).copied().unwrap_or_default();
        let committed = committed.plus(archived).unwrap_or_default();
        let Some(promo) = writer.shared.promos.get(&id) else {
            let first = writer.shared.window().map_or(Night(0), |window| window.0);
            // One that is over is forgotten, once the stays of all that had it lie behind the calendar.
            let counts = |claim: &Claim| claim.promo == id && claim.check_out > first;
            if self.claims.values().any(counts) {
                findings.add(("promos", id.to_string(), None), "a promotion", "none");
            }
            return;
        };
        for (name, expected, found) in [
            ("reserved uses", i128::from(reserved.uses), i128::from(promo.reserved.uses)),
            ("reserved money", reserved.money.into(), promo.reserved.money.into()),
            ("committed uses", committed.uses.into(), promo.committed.uses.into()),
            ("committed money", committed.money.into(), promo.committed.money.into()),
        ] {
            findings.expect(("promos", format!("{id} {name}")), expected, found);
        }
    }
}

/// What was given is within the caps.
fn check_caps(id: PromoId, writer: &Writer, findings: &mut Findings) {
    let Some(Promo { draft, reserved, committed, .. }) = writer.shared.promos.get(&id) else {
        return;
    };
    let uses = u128::from(reserved.uses) + u128::from(committed.uses);
    if let Some(most) = draft.uses_max.filter(|&most| uses > most.into()) {
        findings.add(("promos", format!("{id} uses"), None), format!("at most {most}"), uses);
    }
    let money = i128::from(reserved.money) + i128::from(committed.money);
    if let Some(most) = draft.money_max.filter(|&most| money > most.into()) {
        findings.add(("promos", format!("{id} money"), None), format!("at most {most}"), money);
    }
}

/// Every promotion is found by its code, or is among those that are removed; and nothing else is.
fn check_codes(writer: &Writer, findings: &mut Findings) {
    let shared = &writer.shared;
    let mut listed: BTreeMap<PromoId, String> = BTreeMap::new();
    for codes in &shared.promo_codes {
        listed.extend(codes.named.iter().map(|(code, id)| (*id, code.to_string())));
        listed.extend(codes.removed.iter().map(|id| (*id, String::new())));
    }
    for (id, promo) in shared.promos.iter() {
        let should = if promo.removed { String::new() } else { promo.code.to_string() };
        match listed.remove(&id) {
            Some(code) if code == should => {}
            found => {
                let found = found.unwrap_or_else(|| "nowhere".to_owned());
                findings.add(("promos", format!("{id} in a list"), None), should, found);
            }
        }
    }
    for (id, _) in listed {
        findings.add(("promos", format!("{id} in a list"), None), "nothing", "an entry");
    }
}

/// A claim in words.
struct Shown<'a>(Option<&'a Claim>);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("no promotion"),
            Some(Claim { promo, off, committed, check_out }) => {
                let kind = if *committed { "committed" } else { "reserved" };
                write!(f, "{off} {kind} of {promo} until {check_out}")
            }
        }
    }
}

fn claim(terms: &Terms, committed: bool) -> Option<Claim> {
    let taken = terms.promo.as_deref()?;
    Some(Claim { promo: taken.promo, off: taken.off, committed, check_out: terms.check_out })
}

fn claim_of_hold(hold: &Hold) -> Option<Claim> {
    hold.is_live().then(|| claim(&hold.terms, false))?
}

/// A booking that was not cancelled keeps its use, whether or not its guest came.
fn claim_of_booking(booking: &Booking) -> Option<Claim> {
    let cancelled = matches!(booking.status, booking::Status::Cancelled(_));
    (!cancelled).then(|| claim(&booking.terms, true))?
}
