//! Laws of a backup's objects: what was written is what is read, nothing else is, and pieces that do not
//! follow each other are told apart.

use std::fs;
use std::path::{Path, PathBuf};

use holdfast_snapshot::backup::{
    Broken, Chains, HEAD_BYTES, Hash, Manifest, ObjectDamage, Sealed, Segment, SegmentHead,
    SegmentWriter, Start, index_of, manifest_name, segment_name, snapshot_name,
};

const CLUSTER: u128 = 0xC1;

/// Three entries from `first` on.
fn piece(first: u64, previous: Hash) -> Sealed {
    let start = Start { cluster: CLUSTER, group: 3, first, from_ms: first * 10, previous };
    let mut writer = SegmentWriter::begin(start);
    assert!(writer.is_empty() && writer.len() == HEAD_BYTES);
    writer.put(&[1, 2, 3, 4], Some(first * 10 + 5));
    writer.put(&[], None);
    writer.put(&[5; 40], Some(first * 10 + 20));
    assert_eq!(writer.next(), first + 3);
    writer.finish().expect("three entries")
}

fn manifest() -> Manifest {
    Manifest {
        cluster: CLUSTER,
        group: 3,
        index: 99,
        log_time_ms: 1_795_000_000_000,
        written_ms: 1_795_000_000_777,
        bytes: 3_488,
        contents: Hash([7; 32]),
        keys: Hash([8; 32]),
        name: snapshot_name(99, 0xABCD),
    }
}

#[test]
fn a_piece_of_the_log_comes_back() {
    let sealed = piece(100, Hash([9; 32]));
    let read = Segment::read(&sealed.bytes).unwrap();
    assert_eq!((&read.head, read.link), (&sealed.head, sealed.link));
    assert_eq!((read.head.first, read.head.last), (100, 102));
    assert_eq!((read.head.from_ms, read.head.to_ms), (1_000, 1_020));
    let entries: Vec<_> = read.entries().collect();
    assert_eq!(entries, [(100, &[1, 2, 3, 4][..]), (101, &[]), (102, &[5; 40])]);
    assert_eq!(read.last(), Some(&[5; 40][..]));
    let head = SegmentHead::read(&sealed.bytes[..HEAD_BYTES]).unwrap();
    assert_eq!(head, (sealed.head, sealed.link), "a head is read alone");
    let start = Start { cluster: 0, group: 0, first: 1, from_ms: 0, previous: Hash::NONE };
    assert_eq!(SegmentWriter::begin(start).finish(), None, "nothing is no piece");
}

#[test]
fn every_damaged_byte_of_a_piece_or_a_manifest_is_found() {
    let (piece, manifest) = (piece(1, Hash::NONE).bytes, manifest().encode());
    let piece_is_read = |bytes: &[u8]| Segment::read(bytes).is_ok();
    let manifest_is_read = |bytes: &[u8]| Manifest::read(bytes).is_ok();
    found(&piece, piece_is_read);
    found(&manifest, manifest_is_read);

    fn found(bytes: &[u8], is_read: impl Fn(&[u8]) -> bool) {
        assert!(is_read(bytes));
        for at in 0..bytes.len() {
            for flip in [1u8, 0x80, 0xFF] {
                let mut damaged = bytes.to_vec();
                damaged[at] ^= flip;
                assert!(!is_read(&damaged), "byte {at} of {} by {flip:#x}", bytes.len());
            }
            assert!(!is_read(&bytes[..at]), "cut at {at}");
        }
        assert!(!is_read(&[bytes, &[0]].concat()), "longer");
    }
}

#[test]
fn another_version_and_other_objects_are_named() {
    let (mut piece, mut manifest) = (piece(1, Hash::NONE).bytes, manifest().encode());
    piece[8] = 2;
    manifest[8] = 2;
    assert_eq!(Segment::read(&piece), Err(ObjectDamage::Version(2)));
    assert_eq!(Manifest::read(&manifest), Err(ObjectDamage::Version(2)));
    assert_eq!(Segment::read(&manifest), Err(ObjectDamage::Magic));
    assert_eq!(Manifest::read(b"what is that?"), Err(ObjectDamage::Magic));
}

#[test]
fn names_sort_as_their_entries_and_say_which() {
    let names = [9, 10, 99, 100, u64::MAX].map(segment_name);
    assert!(names.is_sorted());
    assert_eq!(names.map(|name| index_of(&name)), [9, 10, 99, 100, u64::MAX].map(Some));
    assert_eq!(index_of(&manifest_name(7)), Some(7));
    assert_eq!(index_of(&snapshot_name(7, 1)), Some(7));
    assert_eq!(index_of("log/readme.txt"), None);
    assert_eq!(index_of("log/000000000000000000012"), None);
}

fn follow(pieces: &[&Sealed]) -> (Chains, Vec<Broken>) {
    let mut chains = Chains::of(CLUSTER, 3);
    let follow = |piece: &&Sealed| chains.follow(&piece.head, piece.link).err();
    let broken = pieces.iter().filter_map(follow).collect();
    (chains, broken)
}

#[test]
fn pieces_that_follow_each_other_are_one_chain() {
    let first = piece(10, Hash::NONE);
    let second = piece(13, first.link);
    let third = piece(16, second.link);
    let (chains, broken) = follow(&[&first, &second, &third]);
    assert_eq!(broken, []);
    let chain = chains.with(14).expect("there");
    assert_eq!((chain.first, chain.last, chain.tip), (10, 18, third.link));
    assert_eq!((chain.from_ms, chain.to_ms), (100, 180));
    assert_eq!((chains.with(9), chains.with(19)), (None, None));
}

#[test]
fn a_hole_a_swap_and_another_clusters_piece_are_told_apart() {
    let first = piece(10, Hash::NONE);
    let second = piece(13, first.link);
    let third = piece(16, second.link);
    let (chains, broken) = follow(&[&first, &third]);
    assert_eq!(broken, [Broken::Hole { from: 13, to: 15 }]);
    assert_eq!(chains.all().len(), 2, "what comes after the hole is a chain of its own");

    let other = piece(13, Hash([1; 32]));
    let (_, broken) = follow(&[&first, &other, &third]);
    assert_eq!(broken, [Broken::Swapped { first: 13 }, Broken::Swapped { first: 16 }]);

    let start = Start { cluster: 0xC2, group: 3, first: 13, from_ms: 130, previous: first.link };
    let mut foreign = SegmentWriter::begin(start);
    foreign.put(&[1], None);
    let foreign = foreign.finish().unwrap();
    let (_, broken) = follow(&[&first, &foreign]);
    assert_eq!(broken, [Broken::Foreign { first: 13, cluster: 0xC2, group: 3 }]);
}

#[test]
fn a_chain_that_begins_anew_is_no_damage() {
    let first = piece(10, Hash::NONE);
    let anew = piece(20, Hash::NONE);
    let (chains, broken) = follow(&[&first, &anew]);
    assert_eq!(broken, []);
    assert_eq!(chains.with(12).map(|chain| chain.last), Some(12));
    assert_eq!(chains.with(21).map(|chain| chain.first), Some(20));
    assert_eq!(chains.with(15), None, "nobody has it");
    let (_, broken) = follow(&[&piece(10, Hash([1; 32]))]);
    assert_eq!(broken, [], "what the oldest followed aged out");
}

/// The first format, for ever readable: the files were written when the format was made.
#[test]
fn objects_of_version_1_are_read() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let sealed = piece(100, Hash([9; 32]));
    let kept = |name: &str, now: &[u8]| {
        let path: PathBuf = fixtures.join(name);
        let bytes = fs::read(&path).unwrap_or_default();
        if bytes != now {
            let beside = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
            fs::write(&beside, now).unwrap();
            panic!("{} is not what is written now: {}", path.display(), beside.display());
        }
        bytes
    };
    let bytes = kept("version-1.hflog", &sealed.bytes);
    assert_eq!(Segment::read(&bytes).unwrap().head, sealed.head);
    let bytes = kept("version-1.hfman", &manifest().encode());
    assert_eq!(Manifest::read(&bytes).unwrap(), manifest());
}
