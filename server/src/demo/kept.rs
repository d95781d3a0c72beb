//! What the demo of a data directory was made from, so that a later start goes on with the same.
//!
//! Owns one small file, `demo.json`. **Invariant**: once written it is not changed; what is loaded
//! always fits it.

use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Settings;

const FILE: &str = "demo.json";

#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    version: u32,
    seed: u64,
    hotels: usize,
    today: String,
    nights: u16,
}

/// The version of what the same settings make; raised when the maker changes.
const VERSION: u32 = 1;

impl Settings {
    /// The settings of the demo in `data_dir`: those it was made from, else `self`, which is then
    /// written down.
    pub fn keep(self, data_dir: &Path) -> io::Result<Self> {
        let path = data_dir.join(FILE);
        match std::fs::read(&path) {
            Ok(bytes) => Self::kept(&bytes)
                .map_err(|why| io::Error::other(format!("{}: {why}", path.display()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.write(data_dir)?;
                Ok(self)
            }
            Err(error) => Err(error),
        }
    }

    fn kept(bytes: &[u8]) -> Result<Self, String> {
        let kept: Kept = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if kept.version != VERSION {
            return Err(format!(
                "made by another version of the demo ({}, this one is {VERSION}); \
                 give another data directory, or run `holdfast serve` on this one",
                kept.version
            ));
        }
        let today = kept.today.parse().map_err(|error: jiff::Error| error.to_string())?;
        let Kept { seed, hotels, nights, .. } = kept;
        Ok(Self { seed, hotels, today, nights })
    }

    /// Whole or not at all: a second file, renamed.
    fn write(self, data_dir: &Path) -> io::Result<()> {
        let Self { seed, hotels, today, nights } = self;
        let kept = Kept { version: VERSION, seed, hotels, today: today.to_string(), nights };
        let part = data_dir.join(format!("{FILE}.part"));
        let mut file = std::fs::File::create(&part)?;
        file.write_all(&serde_json::to_vec_pretty(&kept)?)?;
        file.sync_all()?;
        std::fs::rename(&part, data_dir.join(FILE))
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn the_first_settings_stay() {
        let dir = std::env::temp_dir().join(format!("holdfast-demo-kept-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let first = Settings { seed: 1, hotels: 20, today: date(2026, 11, 22), nights: 365 };
        let second = Settings { seed: 2, hotels: 90, today: date(2027, 1, 1), nights: 30 };
        assert_eq!(first.keep(&dir).unwrap(), first);
        assert_eq!(second.keep(&dir).unwrap(), first);
        std::fs::write(
            dir.join(FILE),
            br#"{"version":9,"seed":1,"hotels":1,"today":"x","nights":1}"#,
        )
        .unwrap();
        let error = second.keep(&dir).unwrap_err().to_string();
        assert!(error.contains("another version"), "{error}");
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
