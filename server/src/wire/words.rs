//! The words of amenities and property types, and the positions the engine keeps them as.
//!
//! **Invariant:** a position never changes its meaning: words are only ever appended, since logs
//! and states hold positions. At most 64 amenities, the width of the engine's bit set.

/// Amenities of hotels and room types, by bit.
pub const AMENITIES: [&str; 60] = [
    "wifi",
    "parking",
    "pool",
    "gym",
    "spa",
    "restaurant",
    "bar",
    "breakfast",
    "air_conditioning",
    "kitchen",
    "kitchenette",
    "laundry",
    "airport_shuttle",
    "beach_access",
    "beachfront",
    "family_rooms",
    "kids_club",
    "pet_friendly",
    "wheelchair_access",
    "elevator",
    "garden",
    "terrace",
    "sauna",
    "hot_tub",
    "massage",
    "room_service",
    "front_desk_24h",
    "business_center",
    "meeting_rooms",
    "ev_charging",
    "bicycle_rental",
    "non_smoking",
    "smoking_area",
    "balcony",
    "sea_view",
    "mountain_view",
    "river_view",
    "city_view",
    "pool_view",
    "garden_view",
    "bathtub",
    "tv",
    "minibar",
    "safe",
    "desk",
    "coffee_maker",
    "fridge",
    "microwave",
    "washing_machine",
    "hair_dryer",
    "private_bathroom",
    "shared_bathroom",
    "private_pool",
    "prayer_room",
    "halal_food",
    "vegetarian_food",
    "golf",
    "tennis",
    "diving",
    "water_sports",
];

/// Kinds of property, by position.
pub const PROPERTY_TYPES: [&str; 12] = [
    "hotel",
    "resort",
    "hostel",
    "guesthouse",
    "apartment",
    "serviced_apartment",
    "villa",
    "boutique",
    "homestay",
    "bungalow",
    "motel",
    "lodge",
];

/// The bit of an amenity.
pub fn amenity_bit(word: &str) -> Option<u64> {
    AMENITIES.iter().position(|known| *known == word).map(|bit| 1 << bit)
}

/// The words of a bit set, in the order of the list.
pub fn amenity_words(bits: u64) -> Vec<String> {
    AMENITIES
        .iter()
        .enumerate()
        .filter(|(bit, _)| bits & (1 << bit) != 0)
        .map(|(_, word)| (*word).to_owned())
        .collect()
}

/// The position of a property type.
pub fn property_type_position(word: &str) -> Option<u8> {
    PROPERTY_TYPES.iter().position(|known| *known == word).and_then(|at| u8::try_from(at).ok())
}

/// The word of a property type's position.
pub fn property_type_word(position: u8) -> &'static str {
    PROPERTY_TYPES.get(usize::from(position)).copied().unwrap_or("hotel")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_distinct_and_round_trip() {
        let all =
            AMENITIES.iter().filter_map(|word| amenity_bit(word)).fold(0, |set, bit| set | bit);
        assert_eq!(all.count_ones() as usize, AMENITIES.len());
        assert_eq!(amenity_words(all), AMENITIES);
        for word in PROPERTY_TYPES {
            assert_eq!(property_type_position(word).map(property_type_word), Some(word));
        }
        assert_eq!(amenity_bit("helipad"), None);
    }
}
