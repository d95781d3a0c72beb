//! Bounds of the stored format and of what reading and writing it takes in memory.

/// Bytes of records that are gathered into one block, unless one record alone is longer.
pub const BLOCK_BYTES: usize = 1 << 20;
/// Longest block of records, bytes: a record is no longer than an entry of the log.
pub const BLOCK_BYTES_MAX: usize = 64 << 20;
/// Longest head, bytes: it carries the membership.
pub const HEAD_BYTES_MAX: usize = 1 << 20;
/// Blocks that are read and checked before they are loaded.
pub const BLOCKS_AHEAD: usize = 4;
/// Bytes after which what was written is synced, so that no sync takes long.
pub const SYNC_BYTES: u64 = 32 << 20;
/// Snapshots kept on disk: the newest, and the one before it while it may be read.
pub const SNAPSHOTS_KEPT: usize = 2;
/// Longest piece of a backed-up log, bytes of entries: what is gathered before a piece is closed, and one
/// entry more.
pub const SEGMENT_BYTES_MAX: usize = SEGMENT_BYTES + (64 << 20);
/// Bytes of entries after which a piece of a backed-up log is closed.
pub const SEGMENT_BYTES: usize = 16 << 20;
/// Longest name of an object that a manifest may give, bytes.
pub const NAME_BYTES_MAX: usize = 1_024;
/// Damaged snapshots kept aside for whoever looks into the damage.
pub const DAMAGED_KEPT: usize = 2;
