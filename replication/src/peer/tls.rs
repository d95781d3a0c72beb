//! Mutual TLS: both ends of a connection show a certificate of the cluster's own authority, made out to
//! their node id.
//!
//! It owns the reading of certificates from files and the check of names. TLS 1.3 only. **Invariant**: a
//! connection whose other end cannot prove that it is the node it says it is carries nothing.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::version::TLS13;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::link::{Dial, Io};
use super::listen::Accepted;
use super::tcp::{Accept, connect};
use crate::runtime::TcpStream;

/// Where a node's certificates lie: PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The authority that signs the certificates of all nodes.
    pub authority: PathBuf,
    /// This node's certificate, for the name [`node_name`] gives, and what signed it up to the authority.
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// Why certificates cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("{}: {cause}", path.display())]
    File { path: PathBuf, cause: String },
    #[error("the certificates do not fit together: {0}")]
    Config(String),
}

/// The name a node's certificate must be made out to (a DNS name among its alternative names).
#[must_use]
pub fn node_name(node: u64) -> String {
    format!("node-{node}.holdfast.internal")
}

/// Both directions of a node's connections, encrypted.
#[derive(Clone)]
pub(crate) struct Tls {
    connector: TlsConnector,
    acceptor: TlsAcceptor,
}

impl Tls {
    pub fn read(files: &TlsFiles, node: u64) -> Result<Self, TlsError> {
        let authority = certificates(&files.authority)?;
        let chain = certificates(&files.certificate)?;
        let key = PrivateKeyDer::from_pem_file(&files.key);
        let key = key.map_err(|error| unusable(&files.key, error))?;
        let mut roots = RootCertStore::empty();
        for certificate in authority {
            roots.add(certificate).map_err(|error| unusable(&files.authority, error))?;
        }
        if !chain.first().is_some_and(|own| is_for(own, node)) {
            let cause = format!("it is not made out to {}, this node's name", node_name(node));
            return Err(TlsError::File { path: files.certificate.clone(), cause });
        }
        let (roots, provider) = (Arc::new(roots), Arc::new(ring::default_provider()));
        let verifier =
            WebPkiClientVerifier::builder_with_provider(roots.clone(), provider.clone()).build();
        let verifier = verifier.map_err(|error| TlsError::Config(error.to_string()))?;
        let fit = |error: tokio_rustls::rustls::Error| TlsError::Config(error.to_string());
        let server = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[&TLS13])
            .map_err(fit)?
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain.clone(), key.clone_key())
            .map_err(fit)?;
        let client = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13])
            .map_err(fit)?
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)
            .map_err(fit)?;
        let (connector, acceptor) = (Arc::new(client).into(), Arc::new(server).into());
        Ok(Self { connector, acceptor })
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read = CertificateDer::pem_file_iter(path).map_err(|error| unusable(path, error))?;
    let all: Vec<_> = read.collect::<Result<_, _>>().map_err(|error| unusable(path, error))?;
    if all.is_empty() {
        return Err(unusable(path, "it holds no certificate"));
    }
    Ok(all)
}

fn unusable(path: &Path, cause: impl ToString) -> TlsError {
    TlsError::File { path: path.to_owned(), cause: cause.to_string() }
}

/// Whether a certificate, whose signature was checked, is made out to a node.
pub(super) fn is_for(certificate: &CertificateDer<'_>, node: u64) -> bool {
    let Ok(name) = ServerName::try_from(node_name(node)) else { return false };
    webpki::EndEntityCert::try_from(certificate)
        .is_ok_and(|certificate| certificate.verify_is_valid_for_subject_name(&name).is_ok())
}

impl Dial for Tls {
    fn dial<'a>(&'a self, to: u64, address: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Io>>> {
        Box::pin(async move {
            // The name is the node's, not the address's: whoever answers there must be the one meant.
            let name = ServerName::try_from(node_name(to)).map_err(io::Error::other)?;
            let stream = self.connector.connect(name, connect(address).await?).await?;
            Ok(Box::new(stream) as Box<dyn Io>)
        })
    }
}

impl Accept for Tls {
    fn accept(&self, stream: TcpStream) -> BoxFuture<'static, io::Result<Accepted>> {
        let acceptor = self.acceptor.clone();
        Box::pin(async move {
            let stream = acceptor.accept(stream).await?;
            let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
            let certificate = shown.cloned().map(CertificateDer::into_owned);
            let certificate = certificate.ok_or_else(|| io::Error::other("no certificate"))?;
            Ok(Accepted { io: Box::new(stream), certificate: Some(certificate) })
        })
    }
}

#[cfg(all(test, not(holdfast_sim)))]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
    use tempfile::TempDir;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    struct Authority {
        issuer: Issuer<'static, KeyPair>,
        pem: String,
        dir: TempDir,
    }

    impl Authority {
        fn new() -> Self {
            let mut params = CertificateParams::new(Vec::new()).expect("no names");
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            let key = KeyPair::generate().expect("a key");
            let pem = params.self_signed(&key).expect("signed").pem();
            let dir = tempfile::tempdir().expect("a directory");
            Self { issuer: Issuer::new(params, key), pem, dir }
        }

        /// Files of a node whose certificate is made out to `name`.
        fn files(&self, name: &str) -> TlsFiles {
            let key = KeyPair::generate().expect("a key");
            let params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
            let signed = params.signed_by(&key, &self.issuer).expect("signed");
            let put = |suffix: &str, text: String| {
                let path = self.dir.path().join(format!("{name}{suffix}"));
                std::fs::write(&path, text).expect("written");
                path
            };
            TlsFiles {
                authority: put(".ca", self.pem.clone()),
                certificate: put(".crt", signed.pem()),
                key: put(".key", key.serialize_pem()),
            }
        }

        fn node(&self, node: u64) -> Tls {
            Tls::read(&self.files(&node_name(node)), node).expect("readable")
        }
    }

    /// One connection from `client` that means to reach node two at `server`: what each side says.
    async fn meet(client: &Tls, server: &Tls) -> (io::Result<()>, io::Result<Accepted>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound").to_string();
        let answered = async {
            let (stream, _) = listener.accept().await.expect("accepted");
            let mut accepted = server.accept(stream).await?;
            accepted.io.write_all(b"hi").await?;
            Ok(accepted)
        };
        let dialled = async {
            let mut io = client.dial(2, &address).await?;
            // With TLS 1.3 a client learns only now whether its certificate was taken.
            io.read_exact(&mut [0; 2]).await.map(drop)
        };
        tokio::join!(dialled, answered)
    }

    #[tokio::test]
    async fn nodes_of_one_authority_meet_and_know_each_other() {
        let authority = Authority::new();
        let (dialled, accepted) = meet(&authority.node(1), &authority.node(2)).await;
        dialled.expect("connected");
        let shown = accepted.expect("accepted").certificate.expect("shown");
        assert!(is_for(&shown, 1));
        assert!(!is_for(&shown, 2));
    }

    #[tokio::test]
    async fn another_node_at_the_address_and_another_authority_are_refused() {
        let (authority, other) = (Authority::new(), Authority::new());
        let (dialled, _) = meet(&authority.node(1), &authority.node(3)).await;
        assert!(dialled.is_err(), "node three answered for node two");
        let (dialled, accepted) = meet(&other.node(1), &authority.node(2)).await;
        assert!(dialled.is_err() && accepted.is_err(), "a caller of another authority");
    }

    #[test]
    fn files_that_do_not_fit_are_named() {
        let authority = Authority::new();
        let files = authority.files(&node_name(1));
        let error = Tls::read(&files, 2).err().expect("another node's").to_string();
        assert!(error.contains(".crt: it is not made out to node-2."), "{error}");
        let missing = TlsFiles { key: "/nowhere/key.pem".into(), ..files.clone() };
        let error = Tls::read(&missing, 1).err().expect("missing").to_string();
        assert!(error.starts_with("/nowhere/key.pem: "), "{error}");
        let swapped = TlsFiles { certificate: files.key.clone(), ..files };
        let error = Tls::read(&swapped, 1).err().expect("a key").to_string();
        assert!(error.contains("no certificate"), "{error}");
    }
}
