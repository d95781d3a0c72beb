//! Blocks: what one says is picked up of it is what live holds and standing bookings have of it, on every
//! night that is still kept.

use super::books::{Books, Owner};
use super::finding::Findings;
use crate::block::Block;
use crate::civil::Night;
use crate::ids::RoomTypeIx;
use crate::state::Writer;

pub(super) fn check_owner(owner: Owner, books: &Books, writer: &Writer, findings: &mut Findings) {
    if let Owner::Block(id) = owner
        && let Some(block) = writer.shared.blocks.get(&id)
    {
        check(&block, books, writer, findings);
    }
}

pub(super) fn check_all(books: &Books, writer: &Writer, findings: &mut Findings) {
    let mut blocks: Vec<_> = writer.shared.blocks.iter().map(|(_, block)| block).collect();
    blocks.sort_unstable_by_key(|block| block.id);
    for block in blocks {
        check(&block, books, writer, findings);
    }
}

fn check(block: &Block, books: &Books, writer: &Writer, findings: &mut Findings) {
    let Some((first, _)) = writer.shared.window() else { return };
    let whole =
        (block.id, RoomTypeIx(0), Night(0))..=(block.id, RoomTypeIx(u32::MAX), Night(u16::MAX));
    let expected =
        books.picked_up.range(whole).map(|(&(_, room_type, night), _)| (room_type, night));
    let said = block.picked_up.keys().copied().filter(|part| part.1 >= first);
    for (room_type, night) in expected.chain(said) {
        let recounted = books.picked_up.get(&(block.id, room_type, night)).copied().unwrap_or(0);
        let said = block.picked_up(room_type, night);
        if recounted != said {
            let about = format!("{} picked up of room type {}", block.id, room_type.0);
            findings.add(("blocks", about, Some(night)), recounted, said);
        }
    }
}
