//! Every bound the server puts on its callers, by name.
//!
//! The engine's own bounds (rooms per cell, nights per stay) live in the engine. A bound here is
//! checked before a command exists, so passing one never costs a log entry.

use std::time::Duration;

/// Largest JSON request body, in bytes, after which the answer is 413.
pub const BODY_BYTES_MAX: usize = 256 * 1024;

/// Largest request head (request line and headers), in bytes. Past it the answer is a bare 431 without a
/// body: the connection gives it before there is a request that a door could answer.
pub const HEAD_BYTES_MAX: usize = 32 * 1024;

/// Most header lines in a request.
pub const HEADERS_MAX: usize = 64;

/// Longest time a client may take to send a request head.
pub const HEAD_READ_TIMEOUT: Duration = Duration::from_secs(15);

/// Longest time an ordinary request may take. Streams are bounded by [`STREAM_IDLE_TIMEOUT`].
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// Longest silence on a stream before it is closed.
pub const STREAM_IDLE_TIMEOUT: Duration = Duration::from_secs(120);

/// Connections open at once on the public listener; further ones wait in the accept queue.
pub const CONNECTIONS_MAX: usize = 10_000;

/// Connections open at once on the ops listener.
pub const OPS_CONNECTIONS_MAX: usize = 64;

/// Concurrent streams of one HTTP/2 connection.
pub const HTTP2_STREAMS_MAX: u32 = 128;

/// How long a request with `Min-Engine-Index` waits for this node to catch up, and one with `Max-Engine-Age` until
/// the node's state is confirmed.
pub const FRESH_WAIT: Duration = Duration::from_secs(2);

/// How long requests in progress may go on after a stop signal.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(20);

/// Longest bearer token looked at, in bytes.
pub const TOKEN_BYTES_MAX: usize = 4096;

/// Slots in the table of verified tokens; a newer token displaces an older one in its slot.
pub const TOKEN_CACHE_SLOTS: usize = 16_384;

/// Longest lifetime of a token minted on the command line: 400 days.
pub const TOKEN_TTL_S_MAX: u64 = 400 * 86_400;

/// Longest subject of a token, in bytes.
pub const SUBJECT_BYTES_MAX: usize = 256;

/// Longest `Idempotency-Key`, in characters.
pub const IDEMPOTENCY_KEY_CHARS_MAX: usize = 255;

/// Keyed requests being worked on at once on this node.
pub const KEYS_IN_FLIGHT_MAX: usize = 65_536;

/// Longest line of a bulk stream, in bytes, without its line feed.
pub const ARI_LINE_BYTES_MAX: usize = 64 * 1024;

/// Lines gathered into one command of the bulk stream.
pub const ARI_BATCH_LINES_MAX: usize = 512;

/// Nights written by one command of the bulk stream, over all its lines but the first: keeps one
/// partner's year from standing in every guest's way.
pub const ARI_BATCH_NIGHTS_MAX: u32 = 65_536;

/// Results of one bulk stream waiting for a slow client, in bytes: about 400,000 lines.
pub const ARI_REPLY_BYTES_MAX: usize = 32 * 1024 * 1024;

/// How long the rest of a bulk stream that was ended early is read and thrown away, so that the
/// client gets to see why.
pub const ARI_DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// Lines read ahead while a batch is on its way to disk.
pub const ARI_READ_AHEAD_LINES_MAX: usize = 1_024;

/// Decompressed bytes of one bulk stream.
pub const ARI_STREAM_BYTES_MAX: u64 = 8 * 1024 * 1024 * 1024;

/// Compressed bytes fed to the decoder at once, which bounds what one step can inflate to.
pub const ARI_INFLATE_STEP_BYTES: usize = 4 * 1024;

/// Longest name of a bulk source, in characters.
pub const ARI_SOURCE_CHARS_MAX: usize = 64;

/// Longest name, in grapheme clusters.
pub const NAME_GRAPHEMES_MAX: usize = 200;

/// Longest description, in grapheme clusters.
pub const DESCRIPTION_GRAPHEMES_MAX: usize = 4_000;

/// Longest list of amenities or beds.
pub const LIST_ITEMS_MAX: usize = 64;

/// Longest code word (amenity, bed kind, property type), in bytes.
pub const WORD_BYTES_MAX: usize = 40;

/// Nights in one reply of the inventory read-back, over all room types.
pub const INVENTORY_NIGHTS_MAX: usize = 1_100;

/// Items a list returns when the caller does not say.
pub const PAGE_DEFAULT: usize = 50;

/// Most items a list returns.
pub const PAGE_MAX: usize = 200;

/// Bookings of a hotel looked at for one page, shown or not; the next page goes on.
pub const LISTED_BOOKINGS_MAX: usize = 10_000;

/// Longest text typed into the search for destinations, in characters.
pub const DESTINATION_QUERY_CHARS_MAX: usize = 100;

/// Suggestions of destinations when the caller does not say.
pub const DESTINATIONS_DEFAULT: usize = 10;

/// Most suggestions of destinations.
pub const DESTINATIONS_MAX: usize = 50;

/// Radius of a search near a point when the caller does not say, in kilometres.
pub const RADIUS_KM_DEFAULT: f64 = 10.0;

/// Largest radius of a search near a point, in kilometres.
pub const RADIUS_KM_MAX: f64 = 500.0;

/// How far round a hotel a search for it looks, in kilometres.
pub const AROUND_HOTEL_KM: f64 = 5.0;

/// Longest e-mail address, in bytes (RFC 5321).
pub const EMAIL_BYTES_MAX: usize = 254;

/// Longest telephone number, in characters.
pub const PHONE_CHARS_MAX: usize = 32;

/// Longest wish of a guest to the hotel, in grapheme clusters.
pub const REQUESTS_GRAPHEMES_MAX: usize = 1_000;

/// All that names a person in one booking, before it is sealed, in bytes.
pub const PERSONAL_BYTES_MAX: usize = 12 * 1024;

/// Payments whose hold expired under them, remembered until a provider has been told.
pub const LAPSED_PAYMENTS_MAX: usize = 65_536;

/// How long a door waits for a payment provider before it answers that it does not know.
pub const PAYMENT_WAIT_MAX: Duration = Duration::from_secs(4);

/// How often a verification in a running node tells how far it is.
pub const VERIFY_TELL_EVERY: Duration = Duration::from_millis(250);

/// Longest text of a problem that may quote the caller (`detail`, a pointer), in characters.
pub const PROBLEM_TEXT_CHARS_MAX: usize = 400;

/// Wrong fields that one problem names.
pub const PROBLEM_ERRORS_MAX: usize = 100;

/// How often a node of a cluster looks whether the cluster's rules have come, while it starts.
pub const SETTLE_LOOK_EVERY: Duration = Duration::from_millis(250);

/// Bytes of one part of a snapshot on its way to an object store.
pub const BACKUP_PART_BYTES: usize = 8 * 1024 * 1024;

/// Parts of a snapshot that are sent at once.
pub const BACKUP_PARTS_AHEAD_MAX: usize = 4;

/// Objects of a backup that are read at once.
pub const BACKUP_READS_TOGETHER: usize = 16;

/// Pieces of a backed-up log that are fetched ahead of the one that is read.
pub const BACKUP_PIECES_AHEAD: usize = 4;

/// How long after a failure the backup is tried again, or its own interval where that is shorter.
pub const BACKUP_RETRY_AFTER: Duration = Duration::from_secs(5);

/// How often what has aged out of the backup is looked for.
pub const BACKUP_SWEEP_EVERY: Duration = Duration::from_secs(60 * 60);

/// Age at which a snapshot in a backup that no manifest names is taken for given up.
pub const BACKUP_STRAY_AFTER: Duration = Duration::from_secs(2 * 24 * 60 * 60);

/// How long a node that stops may take for the last entries of its backup.
pub const BACKUP_LAST_ROUND_MAX: Duration = Duration::from_secs(10);

/// How long `admin backup` waits for the node to write one.
pub const BACKUP_CALL_MAX: Duration = Duration::from_secs(6 * 60 * 60);

/// Of a machine's memory, how much a node may reserve at its start, in per cent.
pub const MEMORY_RESERVE_PERCENT_MAX: u64 = 80;

/// Reserved memory that one thread brings in at a time.
pub const MEMORY_TOUCH_BYTES: usize = 32 * 1024 * 1024;

/// Threads that bring in reserved memory; no more than the machine has cores.
pub const MEMORY_TOUCH_THREADS_MAX: usize = 4;
