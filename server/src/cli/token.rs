//! `holdfast token`: prints a token and nothing else.

use std::path::PathBuf;

use crate::auth::keys::{MintError, is_subject};
use crate::auth::{Keys, Role};
use crate::config::DATA_DIR_DEFAULT;
use crate::data_dir;
use crate::limits::TOKEN_TTL_S_MAX;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The node's data directory
    #[arg(long, value_name = "DIR", default_value = DATA_DIR_DEFAULT)]
    data_dir: PathBuf,
    #[arg(long, value_enum)]
    role: Role,
    /// Who it is for; a partner subject seen first gets an organisation of its own
    #[arg(long, value_name = "SUBJECT", value_parser = subject)]
    sub: String,
    /// How long it counts, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400,
        value_parser = clap::value_parser!(u64).range(1..=TOKEN_TTL_S_MAX))]
    ttl_s: u64,
}

/// Checked here, so that a wrong one is wrong usage and no failure.
fn subject(text: &str) -> Result<String, MintError> {
    if is_subject(text) { Ok(text.to_owned()) } else { Err(MintError::Subject) }
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let (identity, seed) = data_dir::peek_signing(&args.data_dir)?;
    let keys = Keys::new(&identity.cluster_id, &seed);
    println!("{}", keys.mint(args.role, &args.sub, args.ttl_s)?);
    Ok(())
}
