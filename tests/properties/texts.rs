//! Texts that come from outside: error messages and addresses.

use changeover::engine::{
    graph::{Graph, Links},
    io::LoadKind,
    manifest::Manifest,
    recovery::{AppOrigin, recognise},
    skew,
};
use proptest::{collection, option, prelude::*, sample::select};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// How many cases are tried, and where failing ones are kept.
pub fn config() -> ProptestConfig {
    let mut config = ProptestConfig::default();
    if cfg!(target_family = "wasm") {
        config.cases = 64;
        // There are no files.
        config.failure_persistence = None;
    }
    config
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_message_and_no_address_makes_the_recogniser_panic(
        kind in select(&[LoadKind::Script, LoadKind::Style, LoadKind::Import, LoadKind::Error][..]),
        message in any::<String>(),
        url in option::of(any::<String>()),
        release in any::<String>(),
    ) {
        let _ = recognise(kind, &message, url.as_deref(), &AppOrigin::new(&release));
    }

    #[test]
    fn an_error_that_names_no_loading_is_no_chunk(words in "[a-zA-Z ]{0,60}") {
        prop_assume!(!words.to_lowercase().contains("import"));
        let home = AppOrigin::new("https://shop.test/changeover/release.json");
        prop_assert_eq!(recognise(LoadKind::Error, &words, Some("https://shop.test/a.js"), &home), None);
    }

    #[test]
    fn no_list_of_files_makes_the_comparison_panic(
        files in collection::vec(any::<String>(), 0..8),
        root in any::<String>(),
        base in any::<String>(),
    ) {
        let mut manifest = Manifest::new("shop", changeover::ids::BuildId("a".into()), "");
        manifest.base = base;
        manifest.entries = files.clone();
        let skew = skew::between(
            Graph::new(&manifest, &Links::of(&manifest)),
            &manifest,
            &skew::Loaded {
                files: &files,
                root: &root,
                ..skew::Loaded::default()
            },
        );
        prop_assert!(!skew.touches_the_page());
    }
}
