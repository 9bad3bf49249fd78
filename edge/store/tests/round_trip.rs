//! What is committed comes back: at once, after a restart, after many changes; from both stores alike.

mod common;

use common::{Model, Random, Script, apply, changes, image, key, load};
use store::{
    Change, CommitError, EmbeddedStore, LoadError, Loaded, MAX_IMAGE_LEN, MAX_KEY_LEN, MemoryStore, Store,
};

const SCRIPT: Script = Script { clients: 500, changes: 60, octets: 600 };

#[test]
fn a_new_store_is_empty() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = EmbeddedStore::open(&folder.path().join("not/yet/there")).expect("opened");
    let (loaded, model) = load(&store).expect("loaded");
    assert_eq!((loaded, model), (Loaded { records: 0, commit: 0 }, Model::new()));
}

#[test]
fn both_stores_give_back_what_was_committed_after_every_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut memory, mut model) = (MemoryStore::default(), Model::new());
    for start in 0..5 {
        let mut store = EmbeddedStore::open(folder.path()).expect("opened");
        let (loaded, found) = load(&store).expect("loaded");
        assert_eq!(found, model);
        assert_eq!(loaded.commit, start * 20);
        for number in loaded.commit + 1..=loaded.commit + 20 {
            let steps = SCRIPT.batch(number);
            assert_eq!(store.commit(&changes(&steps)).expect("committed"), number);
            assert_eq!(memory.commit(&changes(&steps)).expect("committed"), number);
            apply(&mut model, &steps);
        }
        assert_eq!(load(&store).expect("loaded").1, model);
        assert_eq!(load(&memory).expect("loaded").1, model);
    }
}

#[test]
fn the_last_change_of_a_record_in_a_batch_counts() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = EmbeddedStore::open(folder.path()).expect("opened");
    let (one, two) = (key(1), key(2));
    let batch = [
        Change { key: &one, image: Some(b"first") },
        Change { key: &two, image: None },
        Change { key: &one, image: None },
        Change { key: &two, image: Some(b"kept") },
        Change { key: &one, image: Some(b"last") },
        Change { key: &two, image: Some(b"") },
    ];
    store.commit(&batch).expect("committed");
    drop(store);
    let store = EmbeddedStore::open(folder.path()).expect("opened");
    let (_, model) = load(&store).expect("loaded");
    assert_eq!(model, Model::from([(one, b"last".to_vec()), (two, Vec::new())]));
}

#[test]
fn the_largest_key_and_image_come_back_and_an_empty_batch_counts() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = vec![0xff; MAX_KEY_LEN];
    let mut octets = Vec::new();
    while octets.len() < MAX_IMAGE_LEN {
        octets.extend(image(&mut Random(1), 4096));
        octets.push(7);
    }
    octets.truncate(MAX_IMAGE_LEN);
    let mut store = EmbeddedStore::open(folder.path()).expect("opened");
    store.commit(&[Change { key: &key, image: Some(&octets) }]).expect("committed");
    assert_eq!(store.commit(&[]).expect("committed"), 2);
    drop(store);
    let (loaded, model) = load(&EmbeddedStore::open(folder.path()).expect("opened")).expect("loaded");
    assert_eq!(loaded.commit, 2);
    assert_eq!(model, Model::from([(key, octets)]));
}

#[test]
#[should_panic(expected = "a key of 4 octets")]
fn a_key_without_a_duid_is_a_defect() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = EmbeddedStore::open(folder.path()).expect("opened");
    let _ = store.commit(&[Change { key: &[0, 0, 0, 1], image: None }]);
}

#[test]
fn a_visitor_may_refuse_a_record() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = EmbeddedStore::open(folder.path()).expect("opened");
    store.commit(&changes(&SCRIPT.batch(1))).expect("committed");
    let error = store.load(&mut |_, _| Err("an image of version 9".into())).expect_err("refused");
    assert!(matches!(error, LoadError::Refused { .. }), "{error}");
    load(&store).expect("and may think better of it");
}

#[test]
fn a_memory_store_can_fail_like_a_disk() {
    let mut store = MemoryStore::default();
    store.commit(&changes(&SCRIPT.batch(1))).expect("committed");
    let on_disk = store.clone();
    store.fail("the disk is gone");
    let error = store.commit(&changes(&SCRIPT.batch(2))).expect_err("failed");
    assert!(matches!(error, CommitError::Failed { .. }));
    assert_eq!(load(&on_disk).expect("loaded").0.commit, 1);
}
