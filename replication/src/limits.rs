//! Every bound of replication, in one place, with its unit.
//!
//! These bound memory and delay on one node; none is part of the replicated rules, so nodes of one
//! deployment may differ in them.

use std::time::Duration;

/// Commands that may wait to be proposed; past it a submission is answered `Busy`.
pub const QUEUE_COMMANDS_MAX: u32 = 65_536;
/// Commands of `submit_many` that may wait; a quarter of the queue, so that bulk never crowds out guests.
pub const QUEUE_BULK_COMMANDS_MAX: u32 = QUEUE_COMMANDS_MAX / 4;
/// Encoded bytes that may wait to be proposed.
pub const QUEUE_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Commands of one log entry.
pub const ENTRY_COMMANDS_MAX: usize = 4_096;
/// Encoded bytes after which a log entry takes no further command.
pub const ENTRY_BYTES_SOFT_MAX: usize = 1024 * 1024;
/// Commands of one `submit_many`.
pub const MANY_COMMANDS_MAX: usize = 1_024;
/// Log entries proposed and not yet applied. While so many are in flight, commands gather.
pub const ENTRIES_IN_FLIGHT_MAX: usize = 4;
/// What a refused submission is told to wait.
pub const BUSY_RETRY_AFTER: Duration = Duration::from_millis(250);
/// How long a submission is waited for, from when it is queued, before its outcome is called unknown.
pub const SUBMIT_WAIT_MAX: Duration = Duration::from_secs(10);
/// How often the log is given a tick, busy or idle, so that log time and expiry never freeze.
pub const TICK_EVERY: Duration = Duration::from_secs(1);

/// Bytes of applied entries after which a snapshot is taken, so that a start reads a short log.
pub const SNAPSHOT_LOG_BYTES: u64 = 256 * 1024 * 1024;
/// Age of the last snapshot from which another is taken for fewer bytes.
pub const SNAPSHOT_EVERY: Duration = Duration::from_secs(3_600);
/// Fewest bytes of applied entries for which a snapshot is taken: a tick a second alone is not work.
pub const SNAPSHOT_LOG_BYTES_MIN: u64 = 4 * 1024 * 1024;
/// Entries kept in the log behind the older of the two snapshots kept, for followers that lag.
pub const LOG_KEPT_ENTRIES_DEFAULT: u64 = 16_384;
/// Bytes of a snapshot that are sent in one request.
pub const SNAPSHOT_CHUNK_BYTES: usize = 1024 * 1024;
/// Chunks of a snapshot that are sent and not yet on the other side's disk.
pub const SNAPSHOT_CHUNKS_IN_FLIGHT: usize = 4;
/// How long an answer to a chunk may take before the sending is given up; it resumes where it was.
pub const SNAPSHOT_SILENCE_MAX: Duration = Duration::from_secs(30);
/// How long a snapshot that a node was sent a piece of stays for it, and the log behind it, after its last
/// acknowledgement.
pub const SNAPSHOT_HELD_SILENT_MAX: Duration = Duration::from_secs(300);
/// How long a snapshot stays for those who are being sent it, however they get on; then a newer one is sent.
pub const SNAPSHOT_HELD_MAX: Duration = Duration::from_secs(3_600);
/// Bytes of a snapshot being received after which they are synced.
pub const SNAPSHOT_SYNC_BYTES: u64 = 32 * 1024 * 1024;
/// How often a node looks whether a snapshot is due; also the shortest pause between two.
pub const SNAPSHOT_LOOK_EVERY: Duration = Duration::from_secs(60);

/// Fastest correction of the log's clock towards the wall, in parts per million of elapsed time.
pub const SLEW_PPM_MAX: u64 = 500;
/// How far the wall clock may be past the log's last entry at start, in milliseconds: 366 days. Log time
/// never goes back, so a machine that wakes up in a wrong year must not take the log there.
pub const CLOCK_AHEAD_MS_MAX: u64 = 366 * 24 * 3_600 * 1_000;
/// Difference between the log's clock and the wall from which the alarm is on, in milliseconds.
pub const CLOCK_SKEW_ALARM_MS: u64 = 1_000;

/// Bytes of entries kept in memory behind the last written one, for apply and replication.
pub const TAIL_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Bytes one read of the log returns at most (always at least one entry).
pub const READ_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Requests the WAL thread takes together before it flushes.
pub const WAL_REQUESTS_MAX: usize = 1_024;
/// Bytes the WAL thread takes together before it flushes.
pub const WAL_BYTES_SOFT_MAX: usize = 16 * 1024 * 1024;
/// Requests that may wait for the WAL thread. Proposals in flight are bounded before that.
pub const WAL_QUEUE_MAX: usize = 65_536;
/// Bytes of one RocksDB write buffer.
pub const WRITE_BUFFER_BYTES: usize = 64 * 1024 * 1024;
/// RocksDB write buffers, active and being flushed.
pub const WRITE_BUFFERS: i32 = 4;
/// Bytes of WAL files kept before RocksDB flushes what they hold.
pub const WAL_FILES_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// WAL files kept for reuse.
pub const WAL_FILES_RECYCLED: usize = 4;

/// How far the guard may lag behind what was acknowledged, besides the time its own write takes.
pub const GUARD_LAG_MAX: Duration = Duration::from_millis(100);
/// Bytes of a guard file; anything longer is not one.
pub const GUARD_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Entries read and decoded ahead of the state machine while the log is replayed.
pub const REPLAY_CHUNKS_AHEAD: usize = 4;
/// Entries applied between two calls of the progress callback.
pub const REPLAY_PROGRESS_EVERY: u64 = 1_024;
/// Commands applied before the state machine lets other tasks of its thread run.
pub const APPLY_COMMANDS_PER_TURN: usize = 512;

/// Threads of the runtime that drives the log, apart from the WAL and guard threads.
pub const RAFT_THREADS_DEFAULT: usize = 2;
/// Longest time an orderly shutdown waits for what is in flight.
pub const SHUTDOWN_WAIT_MAX: Duration = Duration::from_secs(10);
/// How long a node may take to win its own election at start.
pub const LEAD_WAIT_MAX: Duration = Duration::from_secs(30);

/// Entries that a verification reads at once.
pub const VERIFY_CHUNK_ENTRIES: u64 = 256;
/// Entries of a verification between two looks at the whole state.
pub const VERIFY_WHOLE_EVERY: u64 = 65_536;

/// Bytes of one frame between nodes, its length field apart. A request carries at most
/// [`READ_BYTES_MAX`] of entries, or one entry whatever its size, and an entry at most
/// [`ENTRY_BYTES_SOFT_MAX`] and one command more.
pub const FRAME_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Frames that may wait to be written to one connection; past it callers wait.
pub const FRAMES_QUEUED_MAX: usize = 256;
/// Requests of one call that are sent and not yet answered.
pub const REQUESTS_IN_FLIGHT_MAX: usize = 64;
/// Calls open at once on one connection that this node answers; past it the connection ends.
pub const CALLS_OPEN_MAX: usize = 16_384;
/// Connections of other nodes served at once.
pub const PEER_CONNECTIONS_MAX: usize = 256;
/// How long a connection to another node may take to be made and greeted.
pub const PEER_CONNECT_WAIT_MAX: Duration = Duration::from_secs(2);
/// Shortest pause before a connection that failed is tried again; it doubles with each failure.
pub const PEER_RETRY_AFTER_MIN: Duration = Duration::from_millis(50);
/// Longest pause before a connection that failed is tried again.
pub const PEER_RETRY_AFTER_MAX: Duration = Duration::from_secs(2);
/// How long an answer to entries that were sent may take before the stream is given up.
pub const PEER_SILENCE_MAX: Duration = Duration::from_secs(2);
/// Commands that wait on a follower for the leader's answer; past it a submission is answered `Busy`.
pub const FORWARDS_MAX: usize = 16_384;
/// Commands whose outcomes a follower keeps for those who forwarded them.
pub const RECENT_COMMANDS_MAX: usize = 65_536;
/// How long a command or a read waits on a node for somebody to lead, through an election or a transfer,
/// before it is answered that nobody does.
pub const LEADER_WAIT_MAX: Duration = Duration::from_secs(3);
/// Longest pause between two attempts to hand a command to a leader that cannot be reached.
pub const LEADER_RETRY_EVERY: Duration = Duration::from_millis(50);
/// Age of the last answer of a member from which the leader counts it as silent.
pub const MEMBER_SILENT_AFTER: Duration = Duration::from_secs(1);
/// Entries that a learner may be behind when it is promoted.
pub const PROMOTE_LAG_MAX: u64 = 1_000;
/// How long a change of members is waited for before its outcome is called unknown.
pub const MEMBER_CHANGE_WAIT_MAX: Duration = Duration::from_secs(8);
/// How long a chosen successor may take to lead before this node goes on.
pub const HAND_OVER_WAIT_MAX: Duration = Duration::from_secs(2);
/// How far a follower's view of the log's time may run ahead of the newest entry it has applied, in
/// milliseconds: its own wall may be wrong, and a tick comes every [`TICK_EVERY`].
pub const FOLLOWER_AHEAD_MS_MAX: u64 = 10_000;
/// Bytes that must stay free on the log's disk for new commands to be taken: RocksDB's buffers and WAL
/// files fit in.
pub const DISK_RESERVE_BYTES_DEFAULT: u64 = 512 * 1024 * 1024;
/// How often the disk's free space is looked at.
pub const DISK_LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long after a confirmation that this node's state is whole the next is asked for.
pub const CONFIRM_EVERY: Duration = Duration::from_millis(500);
/// Confirmations of this node's state that wait until what was asked for is applied; beyond it none is asked for.
pub const CONFIRMS_WAITING_MAX: usize = 128;
/// How old a node's state may be, at most, before the node calls itself stuck though entries arrive.
pub const BEHIND_AFTER: Duration = Duration::from_secs(10);
/// How long nobody may lead before a node calls itself stuck.
pub const NO_LEADER_AFTER: Duration = Duration::from_secs(3);
/// How long a new leader waits for the other nodes' clocks.
pub const CLOCKS_WAIT_MAX: Duration = Duration::from_millis(250);
/// How far a leader's wall clock may be from the median of a quorum before it hands the lead over, in
/// milliseconds.
pub const CLOCK_DISAGREE_MS_MAX: u64 = 5_000;
/// How often a node without a log asks the others whether the cluster was begun.
pub const JOIN_ASK_EVERY: Duration = Duration::from_millis(200);

/// Archiving steps of the log that may wait to be written to the archive; past it apply waits. A leader
/// proposes no further step before the last is written.
pub const ARCHIVE_STEPS_WAITING_MAX: usize = 64;
/// Archiving steps that are written together.
pub const ARCHIVE_STEPS_TOGETHER_MAX: usize = 16;
/// Records of the archive that are read before it may be closed in between.
pub const ARCHIVE_READ_TOGETHER: usize = 4_096;
/// Bytes of records that are written together while an archive is made anew from a snapshot.
pub const ARCHIVE_BATCH_BYTES: usize = 4 * 1024 * 1024;
/// Bytes of one write buffer of the archive.
pub const ARCHIVE_BUFFER_BYTES: usize = 16 * 1024 * 1024;
/// Bits a key of the filters that keep unknown ids from reading the archive's files.
pub const ARCHIVE_FILTER_BITS: f64 = 10.0;

/// Entries that stay in the log behind the newest applied one for a backup that does not have them yet; past
/// it the log is cut all the same, and the backup has a hole.
pub const BACKUP_KEEPS_ENTRIES_MAX: u64 = 20_000_000;
/// Bytes of entries written together while a log is made from a backup.
pub const REBUILD_BATCH_BYTES: usize = 4 * 1024 * 1024;
