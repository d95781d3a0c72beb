//! Which amenities a house or a room of some kind has, and what they are called.
//!
//! Owns the labels (`assets/demo/amenities.csv`) and the likelihoods. The words are those of the
//! doors' vocabulary. **Invariant**: every word handed out has a Thai and an English label; lists
//! are in the vocabulary's order.

use std::sync::LazyLock;

use super::dice::Dice;
use super::rooms::House;
use super::spots::Setting;
use crate::gazetteer::rows::rows;

const LABELS: &str = include_str!("../../assets/demo/amenities.csv");

/// An amenity's word with its labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amenity {
    pub id: &'static str,
    pub en: &'static str,
    pub th: &'static str,
}

/// The vocabulary, in its order.
pub fn all() -> &'static [Amenity] {
    static ALL: LazyLock<Vec<Amenity>> =
        LazyLock::new(|| rows(LABELS).map(|[id, en, th]| Amenity { id, en, th }).collect());
    &ALL
}

/// What a house has: a chance in percent for each word.
pub(super) fn of_house(house: House, dice: &mut Dice) -> Vec<&'static str> {
    all()
        .iter()
        .map(|amenity| amenity.id)
        .filter(|word| dice.percent(chance(word, house)))
        .collect()
}

fn chance(word: &str, house: House) -> u32 {
    let House { property_type, stars, setting } = house;
    let seaside = setting.is_seaside();
    let simple = matches!(property_type, "hostel" | "guesthouse" | "homestay" | "bungalow");
    // By stars, none to five.
    let by_stars = |chances: [u32; 6]| chances.get(usize::from(stars)).copied().unwrap_or(0);
    match word {
        "wifi" => 100,
        "air_conditioning" => by_stars([75, 85, 95, 100, 100, 100]),
        "parking" => {
            if setting == Setting::City {
                70
            } else {
                90
            }
        }
        "pool" if simple => 15,
        "pool" => by_stars([5, 10, 30, 70, 95, 100]),
        "gym" if simple => 0,
        "gym" => by_stars([0, 2, 8, 35, 85, 100]),
        "spa" => by_stars([0, 0, 3, 20, 65, 95]),
        "restaurant" => by_stars([25, 30, 45, 75, 97, 100]),
        "bar" => by_stars([10, 10, 20, 45, 85, 98]),
        "breakfast" => by_stars([40, 45, 60, 85, 97, 100]),
        "laundry" => by_stars([45, 55, 65, 85, 95, 100]),
        "airport_shuttle" => by_stars([5, 8, 15, 30, 55, 85]),
        "beach_access" if seaside => 75,
        "beachfront" if seaside => by_stars([15, 15, 20, 30, 45, 70]),
        "diving" if setting == Setting::Island => 30,
        "water_sports" if seaside => by_stars([5, 5, 10, 20, 40, 65]),
        "family_rooms" => by_stars([20, 25, 40, 60, 75, 85]),
        "kids_club" if seaside || property_type == "resort" => by_stars([0, 0, 0, 5, 30, 65]),
        "pet_friendly" => {
            if simple || property_type == "villa" {
                18
            } else {
                6
            }
        }
        "wheelchair_access" => by_stars([3, 5, 10, 25, 55, 80]),
        "elevator" if matches!(property_type, "hotel" | "serviced_apartment") => {
            by_stars([5, 15, 40, 80, 98, 100])
        }
        "garden" if setting != Setting::City => 65,
        "terrace" => 40,
        "sauna" => by_stars([0, 0, 0, 5, 35, 75]),
        "hot_tub" => by_stars([0, 0, 0, 5, 25, 55]),
        "massage" => by_stars([5, 8, 12, 35, 70, 95]),
        "room_service" => by_stars([0, 0, 10, 40, 90, 100]),
        "front_desk_24h" => by_stars([10, 20, 50, 85, 99, 100]),
        "business_center" if setting == Setting::City => by_stars([0, 0, 5, 25, 65, 90]),
        "meeting_rooms" if matches!(property_type, "hotel" | "resort") => {
            by_stars([0, 3, 10, 40, 80, 95])
        }
        "ev_charging" => by_stars([0, 0, 3, 12, 35, 60]),
        "bicycle_rental" if setting != Setting::City => 35,
        "non_smoking" => 80,
        "smoking_area" => 50,
        "prayer_room" => by_stars([0, 0, 1, 4, 8, 12]),
        "halal_food" => by_stars([2, 2, 4, 8, 14, 20]),
        "vegetarian_food" => by_stars([10, 10, 15, 25, 45, 60]),
        "golf" if property_type == "resort" => by_stars([0, 0, 0, 2, 6, 14]),
        "tennis" if property_type == "resort" => by_stars([0, 0, 0, 4, 15, 40]),
        "kitchen" if property_type == "homestay" => 60,
        "kitchenette" | "washing_machine" if property_type == "serviced_apartment" => 90,
        "private_pool" if property_type == "villa" => 100,
        "shared_bathroom" if property_type == "hostel" => 95,
        _ => 0,
    }
}

/// What a room has: the ordinary things of its family, and the extras of its kind.
pub(super) fn of_room(family: &str, extras: &str, view: &'static str) -> Vec<&'static str> {
    let has = |extra: &str| extras.split(' ').any(|word| word == extra);
    all()
        .iter()
        .map(|amenity| amenity.id)
        .filter(|word| match *word {
            "wifi" | "non_smoking" => true,
            "air_conditioning" => !has("fan"),
            "shared_bathroom" => has("shared"),
            "private_bathroom" | "hair_dryer" => !has("shared"),
            "tv" | "fridge" => family != "hostel" && !has("fan"),
            "safe" => matches!(family, "hotel" | "resort" | "villa"),
            "microwave" => has("kitchen") || has("kitchenette"),
            word => has(word) || has("view") && word == view,
        })
        .collect()
}
