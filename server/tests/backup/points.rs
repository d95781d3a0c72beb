//! Restores to a point: exactly it, or a refusal that says what is missing and what there is instead.

use std::fs;

use holdfast_server::backup::plan::At;
use holdfast_server::backup::restore::restore;
use holdfast_server::backup::survey::Survey;
use holdfast_server::backup::verify::verify;

use crate::making::{Making, damage};

#[tokio::test(flavor = "multi_thread")]
async fn every_entry_and_time_since_the_first_snapshot_can_be_restored_exactly() {
    let mut making = Making::begin().await;
    let mut archiver = making.archiver();
    let mut points = Vec::new();
    for round in 0..6 {
        archiver.round().await.unwrap();
        if round == 3 {
            archiver.source().snapshot().await.unwrap();
        }
        points.push(making.digest().await);
        making.write(4).await;
    }
    let (last, last_digest) = making.all_written(&mut archiver).await;
    points.push((last, last_digest));
    let survey = Survey::read(&making.place()).await.unwrap();
    assert_eq!((survey.wrong.len(), survey.spans().len(), survey.snapshots.len()), (0, 1, 2));
    for (index, digest) in points {
        let (made, restored) = making.restored(At::Index(index)).await.unwrap();
        assert_eq!((made.index, restored), (index, digest), "entry {index}");
    }
    let (made, restored) = making.restored(At::Latest).await.unwrap();
    assert_eq!((made.index, restored), (last, last_digest));
    let stamps = making.stamps();
    for (index, at_ms) in stamps.iter().skip(20).step_by(3) {
        let Some(at_ms) = at_ms.filter(|_| *index < last) else { continue };
        let later = |(_, stamp): &(u64, Option<u64>)| stamp.is_some_and(|it| it > at_ms);
        let until = stamps.iter().position(later).map_or(last, |after| stamps[after].0 - 1);
        let (made, _) = making.restored(At::TimeMs(at_ms)).await.unwrap();
        assert_eq!((made.index, made.log_time_ms), (until, at_ms), "at the stamp of {index}");
    }
    let scratch = tempfile::tempdir().unwrap();
    let verified = verify(&making.place(), scratch.path(), |_| {}).await.unwrap();
    assert_eq!(verified.wrong, Vec::<String>::new());
    assert_eq!((verified.snapshots, verified.last), (2, Some((last, last_digest))));
    making.node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_restored_is_refused_with_what_can() {
    let mut making = Making::begin().await;
    let mut archiver = making.archiver();
    let mut ends = Vec::new();
    for _ in 0..4 {
        archiver.round().await.unwrap();
        ends.push(archiver.tip().unwrap().next - 1);
        making.write(3).await;
    }
    let last = ends[3];
    let later = making.refused(At::Index(last + 1)).await;
    assert!(later.contains("later than what is in the backup"), "{later}");
    assert!(later.contains(&format!("to {last} (")), "says what there is: {later}");
    let later = making.refused(At::TimeMs(4_000_000_000_000)).await;
    assert!(later.contains("later than what is in the backup"), "{later}");
    let before = making.refused(At::Index(0)).await;
    assert!(before.contains("before the first snapshot"), "{before}");

    // A hole: the piece in the middle is gone.
    let pieces = making.files("log");
    assert_eq!(pieces.len(), 3);
    let kept = fs::read(&pieces[1]).unwrap();
    fs::remove_file(&pieces[1]).unwrap();
    let hole = making.refused(At::Index(last)).await;
    let missing = format!("entries {} to {} are missing", ends[1] + 1, ends[2]);
    assert!(hole.contains(&missing), "{missing}: {hole}");
    assert!(hole.contains(&format!("to {} (", ends[1])), "says what there is: {hole}");
    assert_eq!(making.restored(At::Index(ends[1])).await.unwrap().0.index, ends[1]);

    // Damage in a piece: up to it all can be restored.
    fs::write(&pieces[1], &kept).unwrap();
    let whole = fs::read(&pieces[2]).unwrap();
    damage(&pieces[2]);
    let damaged = making.refused(At::Index(last)).await;
    assert!(damaged.contains(&format!("entries up to {} can be restored", ends[2])), "{damaged}");
    assert_eq!(making.restored(At::Index(ends[2])).await.unwrap().0.index, ends[2]);
    let scratch = tempfile::tempdir().unwrap();
    let verified = verify(&making.place(), scratch.path(), |_| {}).await.unwrap();
    assert_eq!(verified.wrong.len(), 1, "{:?}", verified.wrong);
    fs::write(&pieces[2], whole).unwrap();

    // Another piece in the place of one.
    fs::copy(&pieces[0], &pieces[1]).unwrap();
    let swapped = making.refused(At::Index(last)).await;
    assert!(swapped.contains("is another piece"), "{swapped}");
    making.node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_or_missing_snapshot_gives_way_to_an_older_one_or_is_named() {
    let mut making = Making::begin().await;
    let mut archiver = making.archiver();
    archiver.round().await.unwrap();
    making.write(5).await;
    archiver.round().await.unwrap();
    archiver.source().snapshot().await.unwrap();
    making.write(2).await;
    let (index, digest) = making.all_written(&mut archiver).await;
    let snapshots = making.files("snapshots");
    assert_eq!(snapshots.len(), 2);
    damage(&snapshots[1]);
    let (made, restored) = making.restored(At::Latest).await.unwrap();
    assert_eq!((made.index, restored), (index, digest), "from the older one");
    assert!(made.entries > 5);
    let scratch = tempfile::tempdir().unwrap();
    let verified = verify(&making.place(), scratch.path(), |_| {}).await.unwrap();
    assert_eq!(verified.wrong.len(), 1, "{:?}", verified.wrong);
    fs::remove_file(&snapshots[0]).unwrap();
    let refused = making.refused(At::Latest).await;
    assert_eq!(refused.matches("cannot be used").count(), 2, "{refused}");
    making.node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_keys_and_a_directory_in_use_are_refused() {
    let mut making = Making::begin().await;
    making.archiver().round().await.unwrap();
    let used = making.dir.path().join("node");
    let refused = restore(&making.asked(At::Latest, &used), |_| {}).await.unwrap_err();
    assert!(format!("{refused:#}").contains("is not empty"), "{refused:#}");
    fs::write(making.keys().join("deployment.key"), "cd".repeat(32)).unwrap();
    let refused = making.refused(At::Latest).await;
    assert!(refused.contains("are not those of this backup"), "{refused}");
    making.write(1).await;
    making.node.shutdown().await;
}
