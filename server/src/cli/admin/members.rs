//! `holdfast admin member …` and `holdfast admin leader transfer`, through any node of the cluster.

use comfy_table::Table;
use comfy_table::presets::NOTHING;
use http::Method;
use serde::Serialize;

use crate::client::{Client, Request};
use crate::http::ops::members::{Members, NewMember, Transfer};

#[derive(Debug, clap::Subcommand)]
pub enum Call {
    /// Every member, its role, and how far it is
    List,
    /// Feed the log to a node that runs and has none: it reads, and does not vote yet
    Add {
        /// The new node's id, one that was never used
        node: u64,
        /// Where the other nodes reach it, host:port
        address: String,
    },
    /// Let a learner that has caught up vote
    Promote { node: u64 },
    /// Take a voter or a learner out
    Remove { node: u64 },
}

#[derive(Debug, clap::Subcommand)]
pub enum LeaderCall {
    /// Hand the lead over and wait until another node has it
    Transfer {
        /// To this voter [default: the most advanced one]
        #[arg(long, value_name = "NODE")]
        to: Option<u64>,
    },
}

pub async fn run(client: &Client, call: Call, json: bool) -> anyhow::Result<()> {
    let request = match call {
        Call::List => Request::get("/v1/ops/members"),
        Call::Add { node, address } => post("/v1/ops/members", &NewMember { node, address })?,
        Call::Promote { node } => Request::post(format!("/v1/ops/members/{node}/promote")),
        Call::Remove { node } => Request::new(Method::DELETE, format!("/v1/ops/members/{node}")),
    };
    show(&client.send(&request).await?.ok()?, json)
}

pub async fn transfer(client: &Client, call: LeaderCall, json: bool) -> anyhow::Result<()> {
    let LeaderCall::Transfer { to } = call;
    let request = post("/v1/ops/leader", &Transfer { to })?;
    show(&client.send(&request).await?.ok()?, json)
}

fn post(path: &str, body: &impl Serialize) -> anyhow::Result<Request> {
    Ok(Request::post(path).json(&serde_json::to_value(body)?))
}

fn show(members: &Members, json: bool) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string_pretty(members)?);
        return Ok(());
    }
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(["node", "role", "address", "has the log up to", "heard of"]);
    for member in &members.items {
        let known = |value: Option<u64>, unit: &str| {
            value.map_or_else(|| "-".to_owned(), |value| format!("{value}{unit}"))
        };
        table.add_row([
            member.node.to_string(),
            member.role.clone(),
            member.address.clone(),
            known(member.matched_index, ""),
            known(member.heard_ms, " ms ago"),
        ]);
    }
    println!("{table}");
    Ok(())
}
