//! What the demo prints: addresses, tokens, and lines that work when pasted.
//!
//! The lines name things that are there: they are made from a search this program does itself.

use std::path::Path;

use jiff::ToSpan;
use jiff::civil::Date;
use serde::Deserialize;

use super::{TOKEN_TTL_S, partner, today};
use crate::auth::Role;
use crate::client::{Client, Limits, Request};
use crate::config::DATA_DIR_DEFAULT;
use crate::demo::Demo;
use crate::serve::Server;

/// Days from today to the stay of the examples, and its nights.
const DAYS_AHEAD: i32 = 14;
const NIGHTS: i32 = 2;

#[derive(Deserialize)]
struct Found {
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    hotel: Hotel,
    offer: Offer,
}

#[derive(Deserialize)]
struct Hotel {
    id: String,
}

#[derive(Deserialize)]
struct Offer {
    room_type_id: String,
    rate_plan_id: String,
}

pub async fn print(server: &Server, demo: &Demo, data_dir: Option<&Path>) -> anyhow::Result<()> {
    let keys = server.state().keys();
    let guest = keys.mint(Role::Guest, "demo-guest", TOKEN_TTL_S)?;
    let owner = keys.mint(Role::Partner, &partner(1), TOKEN_TTL_S)?;
    let admin = keys.mint(Role::Admin, "demo-admin", TOKEN_TTL_S)?;
    let url = format!("http://{}", server.http());
    println!("\nHoldfast demo: {} hotels", demo.len());
    println!("  doors      {url}   (description: {url}/docs)");
    println!("  operators  http://{}", server.ops());
    let data_dir =
        data_dir.map_or_else(|| DATA_DIR_DEFAULT.into(), |dir| dir.display().to_string());
    println!("  data       {data_dir}");
    println!("\nTokens, good for 30 days; paste them first:\n");
    println!("GUEST={guest}\n");
    println!("PARTNER={owner}\n");
    println!("ADMIN={admin}\n");
    match example(&url, today(server.state())?).await? {
        Some(lines) => println!("{lines}"),
        None => println!("Nothing is free two weeks from now; search other dates."),
    }
    println!("Ctrl-C stops it; the data stays.");
    Ok(())
}

/// Search, hold, book, look in as the partner and the admin.
async fn example(url: &str, today: Date) -> anyhow::Result<Option<String>> {
    let check_in = today.checked_add(DAYS_AHEAD.days())?;
    let check_out = check_in.checked_add(NIGHTS.days())?;
    let stay = format!("check_in={check_in}&check_out={check_out}&rooms=1&adults=2");
    let search = format!("/v1/search?destination=prv_83&{stay}&sort=price&limit=3");
    let client = Client::new(url, Limits::default())?;
    let found: Found = client.send(&Request::get(&search)).await?.ok()?;
    let Some(Item { hotel, offer }) = found.items.into_iter().next() else { return Ok(None) };
    let hold = serde_json::json!({
        "hotel_id": hotel.id, "check_in": check_in.to_string(), "check_out": check_out.to_string(),
        "lines": [{"room_type_id": offer.room_type_id, "rate_plan_id": offer.rate_plan_id,
            "quantity": 1, "adults": 2, "children_ages": []}],
    });
    let hotel = &hotel.id;
    Ok(Some(format!(
        r#"Search Phuket, look at one hotel's offers:

curl -s '{url}{search}'

curl -s '{url}/v1/hotels/{hotel}/offers?{stay}'

Hold a room, then book it:

HOLD=$(curl -s -X POST {url}/v1/holds -H "Authorization: Bearer $GUEST" -H "Idempotency-Key: hold-$(date +%s%N)" -H 'Content-Type: application/json' -d '{hold}' | tee /dev/stderr | sed -n 's/.*"id":"\(hold_[0-9a-z]*\)".*/\1/p')

curl -s -X POST {url}/v1/bookings -H "Authorization: Bearer $GUEST" -H "Idempotency-Key: book-$HOLD" -H 'Content-Type: application/json' -d "{{\"hold_id\":\"$HOLD\",\"guest\":{{\"name\":\"Somchai Jaidee\",\"email\":\"somchai@example.com\"}},\"payment\":{{\"method\":\"mock\",\"token\":\"tok_ok\"}}}}"

Your bookings; a partner's hotels; what waits for an admin:

curl -s {url}/v1/bookings -H "Authorization: Bearer $GUEST"

curl -s '{url}/v1/hotels?limit=2' -H "Authorization: Bearer $PARTNER"

curl -s '{url}/v1/admin/hotels?status=pending' -H "Authorization: Bearer $ADMIN"
"#
    )))
}
