//! Blocks on the wire.

use std::collections::BTreeMap;

use holdfast_engine::block::{Block, Status};
use holdfast_engine::limits::{BLOCK_LINES_MAX, LINE_QUANTITY_MAX};
use holdfast_engine::stay::Stay;
use holdfast_engine::zone::Zone;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::check::Check;
use super::instant;
use super::stay::check_night;
use super::text::check_line;
use crate::problem::Problem;

/// Whether rooms are kept out of sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BlockKind {
    /// Pencilled in: nothing is deducted.
    Tentative,
    /// Deducted.
    Definite,
}

/// So many rooms of one type on every night.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BlockLineBody {
    pub room_type_id: String,
    #[schema(minimum = 1, maximum = 1_000)]
    pub rooms: u16,
}

/// Rooms for a group.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BlockBody {
    #[schema(example = "Wedding")]
    pub name: String,
    #[schema(format = Date)]
    pub from: String,
    /// As a check-out: the last night is the one before.
    #[schema(format = Date)]
    pub to: String,
    /// 1 to 16, each of another room type.
    pub lines: Vec<BlockLineBody>,
    pub status: BlockKind,
    /// From the beginning of this day at the hotel on, what is left is for sale again.
    #[serde(default)]
    #[schema(format = Date)]
    pub release_at: Option<String>,
}

/// What shall be different; what is left out stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BlockPatch {
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub from: Option<String>,
    #[serde(default)]
    pub to: Option<String>,
    #[serde(default)]
    pub lines: Option<Vec<BlockLineBody>>,
    #[serde(default)]
    pub status: Option<BlockKind>,
    /// `null` for never by itself.
    #[serde(default, deserialize_with = "super::nullable")]
    #[schema(value_type = Option<String>, format = Date)]
    pub release_at: Option<Option<String>>,
}

/// A block's request whose form is right; room types are still ids.
#[derive(Debug)]
pub struct BlockFields {
    pub name: String,
    pub stay: Stay,
    pub definite: bool,
    pub release_on: Option<holdfast_engine::Night>,
}

impl BlockBody {
    pub fn check(&self) -> Result<BlockFields, Problem> {
        let mut check = Check::new();
        if !(1..=BLOCK_LINES_MAX).contains(&self.lines.len()) {
            let detail = format!("must have 1 to {BLOCK_LINES_MAX} lines");
            check.fault("/lines", "list.length", detail);
        }
        for (at, line) in self.lines.iter().enumerate() {
            check.range(&format!("/lines/{at}/rooms"), line.rooms, 1..=LINE_QUANTITY_MAX);
            if self.lines.iter().take(at).any(|other| other.room_type_id == line.room_type_id) {
                let pointer = format!("/lines/{at}/room_type_id");
                check.fault(&pointer, "list.duplicate", "each room type once");
            }
        }
        let fields = BlockFields {
            name: check_line("/name", &self.name, 1..=200, &mut check),
            stay: Stay {
                check_in: check_night("/from", &self.from, &mut check),
                check_out: check_night("/to", &self.to, &mut check),
            },
            definite: self.status == BlockKind::Definite,
            release_on: self
                .release_at
                .as_ref()
                .map(|text| check_night("/release_at", text, &mut check)),
        };
        check.finish()?;
        Ok(fields)
    }
}

/// One room type on one night.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BlockNight {
    #[schema(format = Date)]
    pub night: String,
    /// Left: out of sale for the group.
    pub blocked: u32,
    /// In holds and bookings that name the block.
    pub picked_up: u32,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BlockLineView {
    pub room_type_id: String,
    pub rooms: u16,
    pub nights: Vec<BlockNight>,
}

/// A block.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BlockView {
    #[schema(example = "blk_06f2k9d0c5xk7v8zq1m3n4p5r6")]
    pub id: String,
    pub hotel_id: String,
    pub name: String,
    #[schema(format = Date)]
    pub from: String,
    #[schema(format = Date)]
    pub to: String,
    pub lines: Vec<BlockLineView>,
    /// `tentative`, `definite` or `released`.
    pub status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = Date)]
    pub release_at: Option<String>,
    #[schema(format = DateTime)]
    pub created_at: String,
    pub version: u32,
}

impl BlockView {
    pub fn of(block: &Block, hotel: (&str, &Zone), names: &BTreeMap<u32, String>) -> Self {
        let draft = &block.draft;
        let stay = draft.stay;
        let lines = draft.lines.iter().map(|line| BlockLineView {
            room_type_id: names.get(&line.room_type.0).cloned().unwrap_or_default(),
            rooms: line.rooms,
            nights: stay
                .check_in
                .until(stay.check_out)
                .map(|night| BlockNight {
                    night: night.to_string(),
                    blocked: block.left(line.room_type, night),
                    picked_up: block.picked_up(line.room_type, night),
                })
                .collect(),
        });
        let status = match block.status {
            Status::Tentative => "tentative",
            Status::Definite => "definite",
            Status::Released => "released",
        };
        Self {
            id: block.id.to_string(),
            hotel_id: hotel.0.to_owned(),
            name: draft.name.clone(),
            from: stay.check_in.to_string(),
            to: stay.check_out.to_string(),
            lines: lines.collect(),
            status: status.to_owned(),
            release_at: draft.release_on.map(|day| day.to_string()),
            created_at: instant::local(block.created_ms, hotel.1),
            version: block.version,
        }
    }
}
