//! `docs/LIMITS.md`, made from the `limits.rs` of each crate.
//!
//! Owns the page's text and the small reader of constants behind it. Refuses to evaluate anything:
//! a bound is shown as it is written, in the units a reader would use. Invariant: a bound without
//! a sentence is a complaint, so the page never has an empty row.

/// One `pub const` of a `limits.rs`.
#[derive(Debug, PartialEq, Eq)]
pub struct Bound {
    pub name: String,
    pub value: String,
    pub what: String,
}

const OPENING: &str = "# Limits\n\n\
    Every bound has a name in a `limits.rs` and a row here. This page is made from those files by\n\
    `./dev fix`; a test fails when it differs from them. Engine bounds are part of the replicated\n\
    rules: changing one changes what a log means, so all nodes must agree on them. Replication and\n\
    server bounds belong to one node.\n";

/// The page, from `(crate's folder, text of its limits.rs)`.
#[must_use]
pub fn page(files: &[(String, String)]) -> String {
    let mut page = OPENING.to_owned();
    for (folder, text) in files {
        page += &format!("\n## {folder}\n\n| name | value | what it bounds |\n|---|---|---|\n");
        for Bound { name, value, what } in read(text) {
            page += &format!("| `{name}` | {value} | {what} |\n");
        }
    }
    page
}

/// The bounds of one file, in its order.
#[must_use]
pub fn read(text: &str) -> Vec<Bound> {
    let mut bounds = Vec::new();
    let mut sentence = Vec::new();
    for line in text.lines() {
        if let Some(doc) = line.strip_prefix("///") {
            sentence.push(doc.trim());
            continue;
        }
        if let Some((name, value)) = constant(line) {
            let what = sentence.join(" ").replace("[`", "`").replace("`]", "`");
            let what = what.replace('|', "\\|").trim_end_matches('.').to_owned();
            bounds.push(Bound { name: name.to_owned(), value: shown(value), what });
        }
        sentence.clear();
    }
    bounds
}

/// Names of the bounds that nobody has described.
#[must_use]
pub fn undescribed(folder: &str, text: &str) -> Vec<String> {
    let bare = read(text).into_iter().filter(|b| b.what.is_empty());
    bare.map(|b| format!("{folder}/src/limits.rs: {} says nothing", b.name)).collect()
}

fn constant(line: &str) -> Option<(&str, &str)> {
    let (name, rest) = line.strip_prefix("pub const ")?.split_once(':')?;
    let (_, value) = rest.split_once('=')?;
    Some((name, value.trim().trim_end_matches(';')))
}

/// A value as a reader would write it: `64 MiB`, `10 s`, `16,384`.
fn shown(value: &str) -> String {
    for (call, unit) in [("from_secs(", "s"), ("from_millis(", "ms")] {
        if let Some((_, rest)) = value.split_once(call) {
            return format!("{} {unit}", number(rest.trim_end_matches(')')));
        }
    }
    let value = value.replace("1_024", "1024");
    for (factor, unit) in
        [(" * 1024 * 1024 * 1024", "GiB"), (" * 1024 * 1024", "MiB"), (" * 1024", "KiB")]
    {
        if let Some(count) = value.strip_suffix(factor) {
            return format!("{} {unit}", number(count));
        }
    }
    number(&value)
}

fn number(value: &str) -> String {
    let plain = value.replace(" as i64", "").replace('*', "×").replace("u32::MAX", "2³² − 1");
    match plain.strip_prefix("1 << ").and_then(|bits| bits.parse::<u32>().ok()) {
        Some(bits) if bits < 64 => grouped(&(1_u64 << bits).to_string()),
        _ if plain.chars().all(|c| c.is_ascii_digit() || c == '_') => grouped(&plain),
        _ => words(&plain),
    }
}

/// Numbers within an expression get their commas; names keep their underscores.
fn words(expression: &str) -> String {
    let is_number = |word: &str| word.starts_with(|c: char| c.is_ascii_digit());
    let show = |word: &str| if is_number(word) { word.replace('_', ",") } else { word.to_owned() };
    expression.split(' ').map(show).collect::<Vec<_>>().join(" ")
}

fn grouped(digits: &str) -> String {
    let digits: Vec<char> = digits.chars().filter(char::is_ascii_digit).collect();
    let mut out = String::new();
    for (at, digit) in digits.iter().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(*digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_shown_in_a_readers_units() {
        for (written, expected) in [
            ("16384", "16,384"),
            ("4_095", "4,095"),
            ("1 << 20", "1,048,576"),
            ("64 * 1024 * 1024", "64 MiB"),
            ("16 * 1_024", "16 KiB"),
            ("Duration::from_millis(250)", "250 ms"),
            ("Duration::from_secs(10)", "10 s"),
            ("24 * 3_600 * 1_000", "24 × 3,600 × 1,000"),
            ("OTHER / 4", "OTHER / 4"),
        ] {
            assert_eq!(shown(written), expected);
        }
    }

    #[test]
    fn a_bound_takes_the_sentence_above_it_and_no_other() {
        let text = "/// One, see\n/// [`B`].\npub const A: u32 = 1;\npub const B: u32 = 2;\n";
        let bounds = read(text);
        assert_eq!(bounds[0].what, "One, see `B`");
        assert_eq!(bounds[1].what, "");
        assert_eq!(undescribed("engine", text), ["engine/src/limits.rs: B says nothing"]);
    }
}
