//! The embedded signing key: mints and verifies the node's own EdDSA tokens.
//!
//! Only Ed25519 exists here, so no header can talk the verifier into another algorithm. Verified
//! tokens are remembered, since checking a signature costs as much as a whole hold.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, SigningKey, VerifyingKey};
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, Result as JwtResult};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use signature::{Error as SignatureError, Signer, Verifier};

use super::cache::TokenCache;
use super::{Principal, Role, org_of, user_of};
use crate::clock;
use crate::limits::{SUBJECT_BYTES_MAX, TOKEN_BYTES_MAX, TOKEN_TTL_S_MAX};

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// `holdfast:` and the cluster id.
    pub iss: String,
    pub sub: String,
    pub role: Role,
    /// The user id (`usr_…`).
    pub uid: String,
    /// A partner's organisation (`ptn_…`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org: Option<String>,
    pub iat: u64,
    pub exp: u64,
}

/// Why a token does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("The token is not one of ours, or it was changed on the way.")]
    Invalid,
    #[error("The token has expired; get a new one.")]
    Expired,
}

/// Why no token was minted.
#[derive(Debug, thiserror::Error)]
pub enum MintError {
    #[error("a subject has 1 to {SUBJECT_BYTES_MAX} printable characters")]
    Subject,
    #[error("a token lives 1 to {TOKEN_TTL_S_MAX} seconds")]
    Ttl,
    #[error("signing failed: {0}")]
    Signing(#[from] jsonwebtoken::errors::Error),
}

/// Whether a text can be the subject of a token.
pub fn is_subject(text: &str) -> bool {
    (1..=SUBJECT_BYTES_MAX).contains(&text.len()) && !text.chars().any(char::is_control)
}

/// Signs, verifies, remembers.
pub struct Keys {
    issuer: String,
    key_id: String,
    public: [u8; 32],
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
    cache: TokenCache,
}

impl Keys {
    pub fn new(cluster_id: &str, seed: &[u8; 32]) -> Self {
        // An error means that it was installed before; there is only this one.
        let _ = PROVIDER.install_default();
        let public = SigningKey::from_bytes(seed).verifying_key().to_bytes();
        let issuer = format!("holdfast:{cluster_id}");
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[&issuer]);
        validation.set_required_spec_claims(&["exp", "iss", "sub"]);
        validation.validate_aud = false;
        validation.leeway = 0;
        Self {
            key_id: blake3::hash(&public).to_hex().chars().take(16).collect(),
            issuer,
            public,
            encoding: EncodingKey::from_ed_der(seed),
            decoding: DecodingKey::from_ed_der(&public),
            validation,
            cache: TokenCache::new(),
        }
    }

    /// A token for `subject` in `role`, good for `ttl_s` seconds from now.
    pub fn mint(&self, role: Role, subject: &str, ttl_s: u64) -> Result<String, MintError> {
        if !is_subject(subject) {
            return Err(MintError::Subject);
        }
        if ttl_s == 0 || ttl_s > TOKEN_TTL_S_MAX {
            return Err(MintError::Ttl);
        }
        let iat = clock::wall_s();
        let claims = Claims {
            iss: self.issuer.clone(),
            sub: subject.to_owned(),
            role,
            uid: user_of(role, subject).to_string(),
            org: (role == Role::Partner).then(|| org_of(subject).to_string()),
            iat,
            exp: iat + ttl_s,
        };
        let header = Header { kid: Some(self.key_id.clone()), ..Header::new(Algorithm::EdDSA) };
        Ok(jsonwebtoken::encode(&header, &claims, &self.encoding)?)
    }

    /// The principal behind a token.
    pub fn verify(&self, token: &str) -> Result<std::sync::Arc<Principal>, Refused> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(Refused::Invalid);
        }
        let digest = blake3::hash(token.as_bytes());
        if let Some(known) = self.cache.get(&digest) {
            return if clock::wall_s() < known.expires_s {
                Ok(known)
            } else {
                Err(Refused::Expired)
            };
        }
        let principal = std::sync::Arc::new(self.verify_signature(token)?);
        self.cache.put(digest, principal.clone());
        Ok(principal)
    }

    fn verify_signature(&self, token: &str) -> Result<Principal, Refused> {
        let decoded = jsonwebtoken::decode::<Claims>(token, &self.decoding, &self.validation)
            .map_err(|error| match error.kind() {
                ErrorKind::ExpiredSignature => Refused::Expired,
                _ => Refused::Invalid,
            })?;
        let claims = decoded.claims;
        let org = match (claims.role, claims.org) {
            (Role::Partner, Some(org)) => Some(org.parse().map_err(|_| Refused::Invalid)?),
            (Role::Partner, None) => return Err(Refused::Invalid),
            _ => None,
        };
        Ok(Principal {
            role: claims.role,
            user: claims.uid.parse().map_err(|_| Refused::Invalid)?,
            org,
            subject: claims.sub,
            expires_s: claims.exp,
        })
    }

    /// The public half as a JWK set (RFC 8037), for services that verify our tokens themselves.
    pub fn jwks(&self) -> serde_json::Value {
        serde_json::json!({"keys": [{
            "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA",
            "kid": self.key_id, "x": URL_SAFE_NO_PAD.encode(self.public),
        }]})
    }
}

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| {
        only_eddsa(*algorithm)?;
        let seed = key.as_bytes().try_into().map_err(|_| ErrorKind::InvalidEddsaKey)?;
        Ok(Box::new(EdSigner(SigningKey::from_bytes(seed))))
    },
    verifier_factory: |algorithm, key| {
        only_eddsa(*algorithm)?;
        let public = key.try_get_as_bytes()?.try_into().map_err(|_| ErrorKind::InvalidEddsaKey)?;
        let public = VerifyingKey::from_bytes(public).map_err(|_| ErrorKind::InvalidEddsaKey)?;
        Ok(Box::new(EdVerifier(public)))
    },
    key_utils: KeyUtils::new_unimplemented(),
};

fn only_eddsa(algorithm: Algorithm) -> JwtResult<()> {
    if algorithm == Algorithm::EdDSA { Ok(()) } else { Err(ErrorKind::InvalidAlgorithm.into()) }
}

struct EdSigner(SigningKey);

impl Signer<Vec<u8>> for EdSigner {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, SignatureError> {
        Ok(self.0.sign(message).to_bytes().to_vec())
    }
}

impl JwtSigner for EdSigner {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}

struct EdVerifier(VerifyingKey);

impl Verifier<Vec<u8>> for EdVerifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), SignatureError> {
        self.0.verify(message, &Signature::from_slice(signature)?)
    }
}

impl JwtVerifier for EdVerifier {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(cluster: &str) -> Keys {
        Keys::new(cluster, &[7; 32])
    }

    #[test]
    fn a_minted_token_names_its_principal_on_every_reading() {
        let keys = keys("c1");
        let token = keys.mint(Role::Partner, "chain-a", 60).unwrap();
        let first = keys.verify(&token).unwrap();
        assert_eq!(first.org, Some(org_of("chain-a")));
        assert_eq!(keys.verify(&token).unwrap(), first);
    }

    #[test]
    fn another_deployment_another_key_and_a_changed_token_are_refused() {
        let token = keys("c1").mint(Role::Admin, "root", 60).unwrap();
        assert_eq!(keys("c2").verify(&token), Err(Refused::Invalid));
        assert_eq!(Keys::new("c1", &[8; 32]).verify(&token), Err(Refused::Invalid));
        let (head, rest) = token.split_once('.').unwrap();
        let (_, signature) = rest.split_once('.').unwrap();
        let forged = URL_SAFE_NO_PAD.encode(r#"{"sub":"root","role":"admin"}"#);
        let forged = format!("{head}.{forged}.{signature}");
        assert_eq!(keys("c1").verify(&forged), Err(Refused::Invalid));
    }

    #[test]
    fn other_algorithms_are_refused() {
        let keys = keys("c1");
        let token = keys.mint(Role::Guest, "g", 60).unwrap();
        let (_, rest) = token.split_once('.').unwrap();
        for header in [r#"{"alg":"none"}"#, r#"{"alg":"HS256","typ":"JWT"}"#] {
            let forged = format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header));
            assert_eq!(keys.verify(&forged), Err(Refused::Invalid), "{header}");
        }
    }

    #[test]
    fn an_expired_token_is_refused_whether_remembered_or_not() {
        let keys = keys("c1");
        let claims = Claims {
            iss: keys.issuer.clone(),
            sub: "g".into(),
            role: Role::Guest,
            uid: user_of(Role::Guest, "g").to_string(),
            org: None,
            iat: 1,
            exp: 2,
        };
        let old = jsonwebtoken::encode(&Header::new(Algorithm::EdDSA), &claims, &keys.encoding);
        let old = old.unwrap();
        assert_eq!(keys.verify(&old), Err(Refused::Expired));
        let remembered = Principal {
            role: Role::Guest,
            user: user_of(Role::Guest, "g"),
            org: None,
            subject: "g".into(),
            expires_s: 2,
        };
        keys.cache.put(blake3::hash(old.as_bytes()), remembered.into());
        assert_eq!(keys.verify(&old), Err(Refused::Expired));
    }

    #[test]
    fn subjects_and_lifetimes_are_refused_one_past_their_bounds() {
        let keys = keys("c1");
        let longest = "s".repeat(SUBJECT_BYTES_MAX);
        assert!(keys.mint(Role::Guest, &longest, TOKEN_TTL_S_MAX).is_ok());
        assert!(keys.mint(Role::Guest, &format!("{longest}s"), 1).is_err());
        assert!(keys.mint(Role::Guest, "g", TOKEN_TTL_S_MAX + 1).is_err());
        assert!(keys.mint(Role::Guest, "", 1).is_err());
    }
}
