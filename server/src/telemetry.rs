//! Logs and metrics of the process.
//!
//! Logs go to standard error: for people on a terminal, JSON lines otherwise. Metrics are kept in
//! one recorder and shown by the ops listener. Neither ever holds a token or personal data.

use std::io::IsTerminal;
use std::sync::OnceLock;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;

/// Upper edges of the request histogram, in seconds.
const REQUEST_SECONDS: [f64; 14] = [
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0,
];

/// Starts logging. A second call in one process changes nothing.
pub fn start_logs(format: LogFormat, filter: &str) {
    let json = match format {
        LogFormat::Auto => !std::io::stderr().is_terminal(),
        LogFormat::Human => false,
        LogFormat::Json => true,
    };
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // An error means that logging has been started already, as in tests.
    let _ = if json {
        builder.json().flatten_event(true).with_current_span(false).try_init()
    } else {
        builder.with_ansi(std::io::stderr().is_terminal()).with_target(false).try_init()
    };
}

/// The process's metrics, made on first use.
pub fn metrics() -> &'static PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| {
        let builder = PrometheusBuilder::new()
            .set_buckets_for_metric(
                Matcher::Full("holdfast_http_request_seconds".to_owned()),
                &REQUEST_SECONDS,
            )
            .unwrap_or_else(|_| PrometheusBuilder::new());
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        if metrics::set_global_recorder(recorder).is_err() {
            tracing::warn!("another metrics recorder was installed first; /metrics stays empty");
        }
        describe();
        handle
    })
}

fn describe() {
    metrics::describe_counter!("holdfast_http_requests_total", "Requests by door and status");
    metrics::describe_histogram!("holdfast_http_request_seconds", "Time to the reply's head");
    metrics::describe_counter!("holdfast_http_panics_total", "Doors that panicked; always a bug");
    metrics::describe_counter!("holdfast_ari_lines_total", "Bulk lines by result");
    metrics::describe_gauge!("holdfast_http_connections", "Open connections of the public door");
    metrics::describe_gauge!("holdfast_applied_index", "Last log index applied on this node");
    metrics::describe_gauge!("holdfast_clock_skew_seconds", "The log's clock minus the wall");
    metrics::describe_gauge!("holdfast_clock_alarm", "1 while the skew is past its bound");
    metrics::describe_gauge!(
        "holdfast_guard_lag_seconds",
        "Age of the oldest acknowledged entry that the guard's file does not know of"
    );
    describe_backup();
    metrics::describe_gauge!("holdfast_guard_lag_longest_seconds", "The longest since the start");
    metrics::describe_counter!(
        "holdfast_invariant_refusals_total",
        "Commands that met a state that must not be, since the start and in the log it read; always \
         a bug: run `holdfast admin verify`"
    );
}

fn describe_backup() {
    metrics::describe_gauge!(
        "holdfast_backup_age_seconds",
        "The log's time now minus that of the last entry in the backup: what would be lost"
    );
    metrics::describe_gauge!("holdfast_backup_last_index", "Last log index in the backup");
    metrics::describe_gauge!(
        "holdfast_backup_snapshot_age_seconds",
        "Age of the newest snapshot in the backup, as the node knows that leads"
    );
    metrics::describe_gauge!("holdfast_backup_failing", "1 while the last attempt failed");
    metrics::describe_counter!("holdfast_backup_failures_total", "Attempts that failed");
    metrics::describe_counter!(
        "holdfast_backup_holes_total",
        "Times the log was cut, or a piece damaged, before what follows was in the backup"
    );
    metrics::describe_counter!("holdfast_backup_bytes_total", "Bytes of the log written here");
}
