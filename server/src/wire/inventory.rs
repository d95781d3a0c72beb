//! The inventory read-back on the wire.

use holdfast_engine::Night;
use holdfast_engine::inventory::Cell;
use serde::Serialize;
use utoipa::ToSchema;

/// One room type-night.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CellView {
    pub room_type_id: String,
    #[schema(example = "2027-04-13", format = Date)]
    pub night: String,
    /// What the hotel gives.
    pub allotment: u32,
    /// Set aside for groups.
    pub blocked: u32,
    /// In live holds.
    pub held: u32,
    /// In bookings.
    pub sold: u32,
    /// Rooms sold beyond the allotment on purpose.
    pub overbook: u32,
    pub closed: bool,
    /// `max(0, allotment + overbook - blocked - held - sold)`, 0 when closed.
    pub available: u32,
    /// For `as_of_version` of a line that writes `available`.
    pub version: String,
}

impl CellView {
    pub fn of((room_type_id, version): (&str, &str), night: Night, cell: Cell) -> Self {
        Self {
            room_type_id: room_type_id.to_owned(),
            night: night.to_string(),
            allotment: cell.allotment(),
            blocked: cell.blocked(),
            held: cell.held(),
            sold: cell.sold(),
            overbook: cell.overbook(),
            closed: cell.closed(),
            available: cell.available(),
            version: version.to_owned(),
        }
    }
}

/// Nights of a hotel, by room type, then night.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct InventoryView {
    pub items: Vec<CellView>,
}
