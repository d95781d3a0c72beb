//! The bulk door: availability, rates and inventory, a line at a time, answered as they come.
//!
//! Reading, applying and answering run at once: what has arrived becomes one command, its results
//! flow back while the next lines are read. **Invariant:** results come in the order of the lines,
//! and a line is answered only once its command is applied.

mod apply;
mod inflate;
mod lines;
mod replies;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;
use tokio::sync::mpsc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::apply::{Applier, Source};
use self::inflate::Encoding;
use self::lines::LineReader;
use super::query::Query;
use super::reply::Reply;
use crate::auth::Partner;
use crate::limits::{ARI_READ_AHEAD_LINES_MAX, ARI_SOURCE_CHARS_MAX, STREAM_IDLE_TIMEOUT};
use crate::problem::{Document, Problem};
use crate::state::AppState;
use crate::wire::ari::{Line, LineResult, SourceView, Summary};

const NDJSON: &str = "application/x-ndjson";
const SOURCE_DEFAULT: &str = "default";

pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(stream_lines)).routes(routes!(source))
}

/// How the stream is to be taken.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Params {
    /// Names the stream its `seq` numbers count in; `default` when not said.
    #[param(example = "pms-1")]
    source: Option<String>,
    /// Stop at the first line that is not taken. Slower: each line is a command of its own.
    #[serde(default)]
    stop_on_error: bool,
}

/// Write availability, rates and inventory
///
/// One JSON object a line (`application/x-ndjson`, optionally gzip), any length. Each line is
/// answered by a line as soon as it is on disk, while the request is still being sent; a summary
/// line ends the reply. After a cut connection ask `/v1/ari/sources/{source}` for the last `seq`
/// that counts and go on after it.
#[utoipa::path(post, path = "/v1/ari", tag = "ari", params(Params),
    security(("bearer" = [])),
    request_body(content = Line, content_type = "application/x-ndjson"),
    responses(
        (status = 200, description = "One result a line, then a summary",
            content((LineResult = "application/x-ndjson"), (Summary = "application/x-ndjson"))),
        (status = "default", body = Document)))]
pub async fn stream_lines(
    State(state): State<AppState>,
    partner: Partner,
    Query(params): Query<Params>,
    request: Request,
) -> Result<Response, Problem> {
    expect_ndjson(request.headers())?;
    let encoding = Encoding::of(request.headers())?;
    let source = Source {
        partner: partner.org,
        principal: partner.principal.acting(),
        name: source_name(params.source.as_deref())?,
    };
    // A client that waits for `100 Continue` must get it before the reply begins: the first look
    // at the body sends it.
    let expects = request.headers().contains_key(header::EXPECT);
    let (line_sender, line_receiver) = mpsc::channel(ARI_READ_AHEAD_LINES_MAX);
    let mut reader = LineReader::new(request.into_body(), encoding);
    if expects {
        reader.fill().await;
    }
    let (replies, body) = replies::channel();
    tokio::spawn(reader.run(line_sender));
    let applier = Applier::new(state, source, params.stop_on_error, replies);
    tokio::spawn(applier.run(line_receiver));
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static(NDJSON))], body).into_response())
}

fn expect_ndjson(headers: &HeaderMap) -> Result<(), Problem> {
    let found = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = found.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case(NDJSON) {
        return Ok(());
    }
    let detail = if essence.eq_ignore_ascii_case("text/csv") {
        "CSV is not taken on this door yet; send one JSON object a line as `application/x-ndjson`."
    } else {
        "Send one JSON object a line as `Content-Type: application/x-ndjson`."
    };
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "request.media_type", detail))
}

fn source_name(given: Option<&str>) -> Result<String, Problem> {
    let name = given.unwrap_or(SOURCE_DEFAULT);
    let fits = (1..=ARI_SOURCE_CHARS_MAX).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte));
    if fits {
        return Ok(name.to_owned());
    }
    let detail =
        format!("must have 1 to {ARI_SOURCE_CHARS_MAX} characters of letters, digits and `-_.:`");
    Err(Problem::field("?source", "field.invalid", detail))
}

/// Where a source stands
///
/// The last `seq` that counts, for going on after a cut connection.
#[utoipa::path(get, path = "/v1/ari/sources/{source}", tag = "ari",
    params(("source" = String, Path)), security(("bearer" = [])),
    responses((status = 200, body = SourceView), (status = "default", body = Document)))]
pub async fn source(
    State(state): State<AppState>,
    partner: Partner,
    axum::extract::Path(name): axum::extract::Path<String>,
) -> Result<Reply, Problem> {
    let source = source_name(Some(&name)).map_err(|_| Problem::not_found("source"))?;
    let last_seq = state.reader().source_seq(partner.org, &source).unwrap_or(0);
    Ok(Reply::ok(&SourceView { source, last_seq }))
}

/// How long either side of the stream may be silent.
const IDLE: std::time::Duration = STREAM_IDLE_TIMEOUT;
