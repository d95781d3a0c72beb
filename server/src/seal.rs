//! Guests' personal data, sealed before it enters a command.
//!
//! Each guest has a key of its own (XChaCha20-Poly1305); that key, wrapped by the deployment's
//! key, travels beside the sealed field. Destroying a wrapped key erases everything it opened.
//!
//! ```text
//! sealed   version(1) | key id(16) | nonce(24) | ciphertext + tag(16)
//! wrapped  version(1) | key id(16) | nonce(24) | ciphertext(32) + tag(16)
//! ```
//!
//! **Invariant:** plain personal data never leaves this process except to its guest's own door,
//! and a sealed field opens only under the key id in its header and the context it was made for.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use crate::random;

const VERSION: u8 = 1;
/// Separates the key of guests' digests from every other use of the deployment's key.
const DIGEST_CONTEXT: &str = "holdfast 2026 guest digest";
const ID_BYTES: usize = 16;
const NONCE_BYTES: usize = 24;
const HEADER_BYTES: usize = 1 + ID_BYTES + NONCE_BYTES;

/// Separates the name of the deployment's key from every other use of it.
const NAME_CONTEXT: &str = "holdfast 2026 deployment key name";

/// Tells keys apart and gives none away: what a backup says of the key that opens its guests' data.
pub fn key_name(deployment_key: &[u8; 32]) -> [u8; 32] {
    blake3::derive_key(NAME_CONTEXT, deployment_key)
}

/// Why a sealed field does not open. None of them says which byte was wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("sealed data is shorter than its header, or of another version")]
    Format,
    #[error("sealed data belongs to another key")]
    OtherKey,
    #[error("sealed data or its key was changed, or belongs to another context")]
    Damaged,
}

/// A guest's key, open in memory for the time of one request.
pub struct GuestKey {
    id: [u8; ID_BYTES],
    key: Zeroizing<[u8; 32]>,
}

/// Makes, wraps and unwraps guests' keys.
pub struct Sealer {
    deployment: XChaCha20Poly1305,
    digest_key: Zeroizing<[u8; 32]>,
}

impl Sealer {
    pub fn new(deployment_key: &[u8; 32]) -> Self {
        Self {
            deployment: XChaCha20Poly1305::new(Key::from_slice(deployment_key)),
            digest_key: Zeroizing::new(blake3::derive_key(DIGEST_CONTEXT, deployment_key)),
        }
    }

    /// Who a guest is, told by the e-mail address: the same for the same address, and nobody without
    /// the deployment's key can make it or find the address from it.
    pub fn guest_digest(&self, email: &str) -> u128 {
        self.digest(email.trim().to_lowercase().as_bytes())
    }

    /// A digest that nobody without the deployment's key can make, so that nothing personal can be
    /// guessed from one that is kept.
    pub fn digest(&self, bytes: &[u8]) -> u128 {
        let digest = blake3::keyed_hash(&self.digest_key, bytes);
        digest.as_bytes().iter().take(16).fold(0, |id, byte| (id << 8) | u128::from(*byte))
    }

    /// A new key for `guest` and its wrapped form. `guest` is bound in: a wrapped key moved to
    /// another guest does not open.
    pub fn new_guest_key(&self, guest: u128) -> (GuestKey, Vec<u8>) {
        let mut key = GuestKey { id: [0; ID_BYTES], key: Zeroizing::new([0; 32]) };
        random::fill(&mut key.id);
        random::fill(key.key.as_mut());
        let wrapped = encrypt(&self.deployment, key.id, key.key.as_ref(), &guest.to_be_bytes());
        (key, wrapped)
    }

    /// Opens a wrapped key of `guest`.
    pub fn unwrap_guest_key(&self, guest: u128, wrapped: &[u8]) -> Result<GuestKey, Error> {
        let (id, plain) = decrypt(&self.deployment, wrapped, &guest.to_be_bytes())?;
        let key = plain.as_slice().try_into().map_err(|_| Error::Format)?;
        Ok(GuestKey { id, key: Zeroizing::new(key) })
    }
}

impl GuestKey {
    /// Names the key beside what it sealed.
    pub fn id(&self) -> u128 {
        u128::from_be_bytes(self.id)
    }

    /// Seals `plain` for one context (the booking it belongs to).
    pub fn seal(&self, context: u128, plain: &[u8]) -> Vec<u8> {
        encrypt(&self.cipher(), self.id, plain, &context.to_be_bytes())
    }

    pub fn open(&self, context: u128, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        if sealed.get(1..=ID_BYTES).ok_or(Error::Format)? != self.id {
            return Err(Error::OtherKey);
        }
        Ok(decrypt(&self.cipher(), sealed, &context.to_be_bytes())?.1)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(Key::from_slice(self.key.as_ref()))
    }
}

fn encrypt(
    cipher: &XChaCha20Poly1305,
    id: [u8; ID_BYTES],
    plain: &[u8],
    context: &[u8],
) -> Vec<u8> {
    let mut nonce = [0u8; NONCE_BYTES];
    random::fill(&mut nonce);
    let mut sealed = Vec::with_capacity(HEADER_BYTES + plain.len() + 16);
    sealed.push(VERSION);
    sealed.extend_from_slice(&id);
    // The header up to here is authenticated with the context.
    let aad = [sealed.as_slice(), context].concat();
    sealed.extend_from_slice(&nonce);
    let payload = Payload { msg: plain, aad: &aad };
    match cipher.encrypt(XNonce::from_slice(&nonce), payload) {
        Ok(ciphertext) => sealed.extend_from_slice(&ciphertext),
        // Fails only for inputs of more than 256 GiB, which body limits rule out; a field without
        // its tag opens for nobody.
        Err(_) => tracing::error!("sealing refused an input of {} bytes", plain.len()),
    }
    sealed
}

fn decrypt(
    cipher: &XChaCha20Poly1305,
    sealed: &[u8],
    context: &[u8],
) -> Result<([u8; ID_BYTES], Zeroizing<Vec<u8>>), Error> {
    let (header, ciphertext) = sealed.split_at_checked(HEADER_BYTES).ok_or(Error::Format)?;
    let (named, nonce) = header.split_at(1 + ID_BYTES);
    let (version, id) = named.split_at(1);
    if version != [VERSION] {
        return Err(Error::Format);
    }
    let aad = [named, context].concat();
    let payload = Payload { msg: ciphertext, aad: &aad };
    let plain = cipher.decrypt(XNonce::from_slice(nonce), payload).map_err(|_| Error::Damaged)?;
    Ok((id.try_into().map_err(|_| Error::Format)?, Zeroizing::new(plain)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_only_with_its_guest_its_key_and_its_context() {
        let sealer = Sealer::new(&[3; 32]);
        let (key, wrapped) = sealer.new_guest_key(1);
        let sealed = key.seal(77, b"Somchai");
        let opened = sealer.unwrap_guest_key(1, &wrapped).unwrap();
        assert_eq!(opened.open(77, &sealed).unwrap().as_slice(), b"Somchai");
        assert_eq!(opened.open(78, &sealed), Err(Error::Damaged));
        assert!(matches!(sealer.unwrap_guest_key(2, &wrapped), Err(Error::Damaged)));
        let other = Sealer::new(&[4; 32]);
        assert!(matches!(other.unwrap_guest_key(1, &wrapped), Err(Error::Damaged)));
        let (other_key, _) = sealer.new_guest_key(1);
        assert_eq!(other_key.open(77, &sealed), Err(Error::OtherKey));
    }

    #[test]
    fn a_guests_digest_is_of_the_address_and_of_this_deployment() {
        let sealer = Sealer::new(&[3; 32]);
        assert_eq!(sealer.guest_digest("A@b.c "), sealer.guest_digest("a@b.c"));
        assert_ne!(sealer.guest_digest("a@b.c"), sealer.guest_digest("a@b.d"));
        assert_ne!(sealer.guest_digest("a@b.c"), Sealer::new(&[4; 32]).guest_digest("a@b.c"));
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let sealer = Sealer::new(&[3; 32]);
        let (key, _) = sealer.new_guest_key(1);
        let sealed = key.seal(77, b"Somchai");
        for position in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[position] ^= 1;
            assert!(key.open(77, &changed).is_err(), "byte {position}");
        }
        for length in 0..sealed.len() {
            assert!(key.open(77, &sealed[..length]).is_err(), "length {length}");
        }
    }

    #[test]
    fn sealing_twice_gives_different_bytes() {
        let sealer = Sealer::new(&[3; 32]);
        let (key, _) = sealer.new_guest_key(1);
        assert_ne!(key.seal(1, b"x"), key.seal(1, b"x"));
    }
}
