//! `holdfast demo`: a node with a believable market in it, and what to type to try it.
//!
//! The data goes in through the partners' own doors; `/readyz` says yes once it is there. A second
//! start on the same directory keeps what is loaded.

mod greeting;

use std::sync::Arc;

use holdfast_engine::zone::{DEFAULT as ZONE, Zone};
use jiff::civil::Date;

use crate::auth::Role;
use crate::client::{Client, Limits};
use crate::config::{Config, Flags, LOG_FILTER_DEFAULT};
use crate::demo::load::{self, Doors};
use crate::demo::{Demo, HOTELS_DEFAULT, HOTELS_MAX, HOTELS_MIN, NIGHTS_DEFAULT, Settings};
use crate::serve::{Server, StopSignal};
use crate::state::AppState;
use crate::telemetry;

/// Organisations that own the demo's hotels.
const PARTNERS: usize = 4;
/// How long the printed tokens count: 30 days.
const TOKEN_TTL_S: u64 = 30 * 86_400;
/// Nights kept free at the end of a short horizon, since "today" moves on while data is loaded.
const HORIZON_SPARE: u16 = 2;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    flags: Flags,
    /// How many hotels, 10 to 50000
    #[arg(long, value_name = "N", default_value_t = HOTELS_DEFAULT as u64,
        value_parser = clap::value_parser!(u64).range(HOTELS_MIN as u64..=HOTELS_MAX as u64))]
    hotels: u64,
    /// The same seed makes the same market
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub async fn run(args: Args) -> anyhow::Result<()> {
    let mut config = Config::load(None, &args.flags)?;
    config.ready_after_load = true;
    // What the demo has to say is for a person; the log speaks up when something is wrong.
    let filter = if config.log_filter == LOG_FILTER_DEFAULT { "warn" } else { &config.log_filter };
    telemetry::start_logs(config.log_format, filter);
    let mut stop = StopSignal::listen()?;
    let Some(server) = super::start(config, &mut stop).await? else { return Ok(()) };
    tokio::select! {
        filled = fill(&args, &server) => match filled {
            Ok(demo) => greeting::print(&server, &demo, args.flags.data_dir.as_deref()).await?,
            Err(error) => {
                server.shutdown().await;
                return Err(error);
            }
        },
        () = stop.received() => {
            server.shutdown().await;
            return Ok(());
        }
    }
    server.run(&mut stop).await.map(drop)
}

/// Loads what is missing.
async fn fill(args: &Args, server: &Server) -> anyhow::Result<Arc<Demo>> {
    let state = server.state();
    let horizon = state.reader().settings().map_or(NIGHTS_DEFAULT, |made| made.horizon_nights);
    let settings = Settings {
        seed: args.seed,
        hotels: usize::try_from(args.hotels)?,
        today: today(state)?,
        nights: NIGHTS_DEFAULT.min(horizon.saturating_sub(HORIZON_SPARE)),
    };
    let settings = settings.keep(&state.config().data_dir)?;
    let demo = Arc::new(Demo::new(settings));
    load::load(Arc::clone(&demo), &doors(server)?, false).await?;
    state.readiness().set_loaded();
    Ok(demo)
}

fn doors(server: &Server) -> anyhow::Result<Doors> {
    let client = Client::new(&format!("http://{}", server.http()), Limits::default())?;
    let keys = server.state().keys();
    let partners = (1..=PARTNERS).map(|number| -> anyhow::Result<Client> {
        Ok(client.with_token(&keys.mint(Role::Partner, &partner(number), TOKEN_TTL_S)?)?)
    });
    let admin = client.with_token(&keys.mint(Role::Admin, "demo-admin", TOKEN_TTL_S)?)?;
    Ok(Doors { partners: partners.collect::<anyhow::Result<_>>()?, admin })
}

/// The subject of the demo's n-th partner, from 1.
fn partner(number: usize) -> String {
    format!("demo-partner-{number}")
}

/// The date in Thailand by the log's clock.
fn today(state: &AppState) -> anyhow::Result<Date> {
    let zone = Zone::find(ZONE).ok_or_else(|| anyhow::anyhow!("this build knows no {ZONE}"))?;
    Ok(zone.night_at(state.now_ms()).to_string().parse()?)
}
