//! Demand: what a request takes, summed per room type, without memory of its own for ordinary requests.

use crate::ids::RoomTypeIx;
use crate::stay::Stay;

/// Room types that lie in the value itself; a request with more has them on the heap.
const INLINE: usize = 4;

/// What a request takes: rooms per room type, the same on every night of the stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    stay: Stay,
    rooms: Rooms,
}

/// **Invariant**: past `len` the inline ones are zero, so that equal demands are equal values.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Rooms {
    Inline { len: u8, rooms: [(RoomTypeIx, u32); INLINE] },
    Heap(Vec<(RoomTypeIx, u32)>),
}

impl Demand {
    /// Sums the lines per room type.
    #[must_use]
    #[inline]
    pub fn of(stay: Stay, lines: impl IntoIterator<Item = (RoomTypeIx, u32)>) -> Self {
        let mut rooms = Rooms::Inline { len: 0, rooms: [(RoomTypeIx(0), 0); INLINE] };
        for (room_type, quantity) in lines {
            match rooms.as_mut_slice().iter_mut().find(|known| known.0 == room_type) {
                Some(known) => known.1 = known.1.saturating_add(quantity),
                None => rooms.push((room_type, quantity)),
            }
        }
        Self { stay, rooms }
    }

    #[must_use]
    #[inline]
    pub const fn stay(&self) -> Stay {
        self.stay
    }

    /// Rooms per night of each room type, each room type once, in the order of the lines.
    #[must_use]
    #[inline]
    pub fn rooms(&self) -> &[(RoomTypeIx, u32)] {
        match &self.rooms {
            Rooms::Inline { len, rooms } => rooms.get(..usize::from(*len)).unwrap_or(rooms),
            Rooms::Heap(rooms) => rooms,
        }
    }
}

impl Rooms {
    #[inline]
    fn as_mut_slice(&mut self) -> &mut [(RoomTypeIx, u32)] {
        match self {
            Self::Inline { len, rooms } => rooms.get_mut(..usize::from(*len)).unwrap_or(&mut []),
            Self::Heap(rooms) => rooms,
        }
    }

    #[inline]
    fn push(&mut self, one: (RoomTypeIx, u32)) {
        match self {
            Self::Heap(rooms) => rooms.push(one),
            Self::Inline { len, rooms } => match rooms.get_mut(usize::from(*len)) {
                Some(free) => {
                    *free = one;
                    *len += 1;
                }
                None => {
                    let mut heap = rooms.to_vec();
                    heap.push(one);
                    *self = Self::Heap(heap);
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::civil::Night;

    #[test]
    fn lines_are_summed_per_room_type_however_many_there_are() {
        let stay = Stay { check_in: Night(3), check_out: Night(5) };
        for kinds in [0, 1, 3, 4, 5, 16] {
            let lines = (0..kinds).chain((0..kinds).rev()).map(|at| (RoomTypeIx(at), at + 1));
            let demand = Demand::of(stay, lines.clone());
            let expected: Vec<_> = (0..kinds).map(|at| (RoomTypeIx(at), 2 * (at + 1))).collect();
            assert_eq!(demand.rooms(), expected);
            assert_eq!(demand, Demand::of(stay, lines));
        }
        let most = Demand::of(stay, [(RoomTypeIx(1), u32::MAX), (RoomTypeIx(1), 1)]);
        assert_eq!(most.rooms(), [(RoomTypeIx(1), u32::MAX)]);
    }
}
