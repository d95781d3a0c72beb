//! Writing a backup: by one node after another, to a place that fails, and what ages out of it.

use std::fs;
use std::time::Duration;

use holdfast_server::backup::archiver::{Archiver, Error, Source};
use holdfast_server::backup::plan::At;
use holdfast_server::backup::retention::sweep;
use holdfast_server::backup::survey::Survey;

use crate::making::{Making, damage};

#[tokio::test(flavor = "multi_thread")]
async fn two_writers_make_one_chain_without_a_hole() {
    let mut making = Making::begin().await;
    let (mut one, mut other) = (making.archiver(), making.archiver());
    one.round().await.unwrap();
    for _ in 0..5 {
        making.write(3).await;
        // Both believe to lead: whoever is second finds the name taken, and follows.
        let (first, second) = tokio::join!(one.round(), other.round());
        assert_eq!((first.unwrap().hole, second.unwrap().hole), (false, false));
        making.write(2).await;
        other.round().await.unwrap();
        one.look().await.unwrap();
        assert_eq!(one.tip(), other.tip(), "who only looks sees the same");
    }
    let (index, digest) = making.all_written(&mut one).await;
    let survey = Survey::read(&making.place()).await.unwrap();
    assert_eq!((survey.wrong.len(), survey.chains.all().len()), (0, 1), "{:?}", survey.wrong);
    let (made, restored) = making.restored(At::Latest).await.unwrap();
    assert_eq!((made.index, restored), (index, digest));
    making.node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_fails_for_a_while_gets_all_that_it_missed() {
    let mut making = Making::begin().await;
    let mut archiver = making.archiver();
    archiver.round().await.unwrap();
    let away = making.dir.path().join("away");
    fs::rename(making.path(), &away).unwrap();
    fs::write(making.path(), "no directory").unwrap();
    for _ in 0..3 {
        making.write(4).await;
        let failed = archiver.round().await.unwrap_err();
        assert!(matches!(failed, Error::Store(_)), "{failed}");
        assert_eq!(making.node.may_cut_log(u64::MAX), archiver.tip().map(|tip| tip.next - 1));
    }
    fs::remove_file(making.path()).unwrap();
    fs::rename(&away, making.path()).unwrap();
    let (index, digest) = making.all_written(&mut archiver).await;
    let (made, restored) = making.restored(At::Latest).await.unwrap();
    assert_eq!((made.index, restored), (index, digest));
    making.node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_clusters_place_and_another_history_are_refused() {
    let mut making = Making::begin().await;
    making.archiver().round().await.unwrap();
    let mut stranger = Archiver::steady(Source { cluster: 0xC2, ..making.source() });
    let refused = stranger.round().await.unwrap_err();
    assert!(matches!(refused, Error::OtherCluster { theirs: 0xC1, ours: 0xC2 }), "{refused}");
    making.write(4).await;
    making.archiver().round().await.unwrap();
    let mut other = Making::begin().await;
    other.time.advance(Duration::from_secs(9));
    other.write(30).await;
    let source = Source { node: other.node.clone(), ..making.source() };
    let refused = Archiver::steady(source).round().await.unwrap_err();
    assert!(matches!(refused, Error::OtherHistory { .. }), "{refused}");
    making.node.shutdown().await;
    other.node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_damaged_piece_a_new_chain_begins_with_a_snapshot() {
    let mut making = Making::begin().await;
    making.archiver().round().await.unwrap();
    making.write(4).await;
    making.archiver().round().await.unwrap();
    damage(making.files("log").last().unwrap());
    making.write(4).await;
    let mut archiver = making.archiver();
    assert!(archiver.round().await.unwrap().hole);
    making.write(4).await;
    let (index, digest) = making.all_written(&mut archiver).await;
    let (made, restored) = making.restored(At::Latest).await.unwrap();
    assert_eq!((made.index, restored), (index, digest));
    making.node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_is_written_once_has_one_snapshot_and_all_of_the_log() {
    let mut making = Making::begin().await;
    for snapshots in 1..=3 {
        making.write(4).await;
        let (index, digest) = making.digest().await;
        // Each call is another's that knows nothing of the one before.
        let (done, manifest) = Archiver::once(making.source()).whole().await.unwrap();
        assert!(!done.hole && manifest.index >= index);
        assert_eq!(making.files("snapshots").len(), snapshots);
        assert_eq!(making.files("manifests").len(), snapshots);
        let survey = Survey::read(&making.place()).await.unwrap();
        assert_eq!((survey.wrong.len(), survey.spans().len()), (0, 1), "{:?}", survey.wrong);
        if snapshots > 1 {
            let (made, restored) = making.restored(At::Index(index)).await.unwrap();
            assert_eq!((made.index, restored), (index, digest));
        }
    }
    making.node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ages_out_takes_no_piece_that_a_kept_snapshot_needs() {
    let mut making = Making::begin().await;
    let mut archiver = making.archiver();
    for _ in 0..4 {
        archiver.round().await.unwrap();
        archiver.source().snapshot().await.unwrap();
        making.write(3).await;
    }
    let (index, digest) = making.all_written(&mut archiver).await;
    assert_eq!(sweep(archiver.source(), Duration::from_secs(3_600)).await.unwrap(), 0);
    // Older than no time at all, but for the clock's step: all but the newest have aged out.
    while holdfast_server::clock::wall_ms()
        <= archiver.source().newest_snapshot().await.unwrap().unwrap().written_ms
    {
        tokio::task::yield_now().await;
    }
    let gone = sweep(archiver.source(), Duration::ZERO).await.unwrap();
    assert!(gone >= 6, "{gone}");
    let survey = Survey::read(&making.place()).await.unwrap();
    assert_eq!((survey.snapshots.len(), survey.wrong.len()), (1, 0), "{:?}", survey.wrong);
    let (made, restored) = making.restored(At::Latest).await.unwrap();
    assert_eq!((made.index, restored), (index, digest));
    making.write(2).await;
    assert!(!archiver.round().await.unwrap().hole, "the chain goes on");
    making.node.shutdown().await;
}
