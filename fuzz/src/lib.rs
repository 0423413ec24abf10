//! What must hold for every input, whatever the bytes. Each function is one fuzz target of the same name in `bin/`.
//!
//! A target does more than not panic: it holds a parser against what it has itself written.

use changeover::engine::{
    lineage::Lineage,
    manifest::{Manifest, Reading},
    release::Release,
    store::Head,
};
use changeover_cli::{
    html::{Claim, HtmlDocument},
    serve::range::{self, Wanted},
    stores,
};
use serde::de::IgnoredAny;

/// A release that is accepted is JSON, and survives being written and read again.
pub fn release(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    if let Ok(release) = Release::parse(text) {
        assert!(is_json(text));
        assert_eq!(Release::parse(&release.to_json()).as_ref(), Ok(&release));
    }
}

/// A manifest that is accepted is JSON, survives being written and read again, and is the same when it is read in slices.
pub fn manifest(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    let sliced = Reading::new(text).and_then(|mut reading| {
        loop {
            if let Some(read) = reading.step(64) {
                return read;
            }
        }
    });
    assert_eq!(sliced, Manifest::parse(text));
    if let Ok(manifest) = Manifest::parse(text) {
        assert!(is_json(text));
        assert_eq!(Manifest::parse(&manifest.to_json()).as_ref(), Ok(&manifest));
    }
}

/// The head of a store and the lineage in it survive being written and read again.
pub fn head(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    if let Ok(head) = Head::read(text) {
        assert_eq!(Head::read(&head.to_json()).as_ref(), Ok(&head));
    }
    if let Some(lineage) = Lineage::read(text) {
        assert_eq!(Lineage::read(&lineage.to_text()), Some(lineage));
    }
}

/// The stores file: what is accepted is JSON, what is refused is named in one sentence.
pub fn stores(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    match stores::parse(text, "stores.json") {
        Ok(_) => assert!(is_json(text)),
        Err(error) => assert!(error.to_string().starts_with("stores.json ")),
    }
}

/// The `Range` header, after the size of the file in the first two bytes: a part lies in the file and in what was asked
/// for, bytes are called missing only when they are, and a range that can be answered is.
pub fn range(bytes: &[u8]) {
    let Some((size, text)) = bytes.split_first_chunk::<2>() else {
        return;
    };
    let Ok(text) = str::from_utf8(text) else {
        return;
    };
    let size = u64::from(u16::from_le_bytes(*size));
    let asked = text
        .strip_prefix("bytes=")
        .and_then(|range| range.split_once('-'))
        .map(|(first, last)| (first.trim(), last.trim()));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // What is asked for, from the first byte to the last; numbers beyond a `u64` need no answer.
    let asks = asked.and_then(|(first, last)| {
        let (from, to) = (first.parse::<u64>().ok(), last.parse::<u64>().ok());
        match (is_digits(first), is_digits(last)) {
            (true, true) => Some(from?..=to?).filter(|asked| !asked.is_empty()),
            (true, false) if last.is_empty() => Some(from?..=u64::MAX),
            (false, true) if first.is_empty() => Some(size.saturating_sub(to?)..=u64::MAX),
            _ => None,
        }
    });
    let expected = asks.map_or(Wanted::Everything, |asked| {
        let there = |at: &u64| asked.contains(at);
        match ((0..size).find(there), (0..size).rfind(there)) {
            (Some(first), Some(last)) => Wanted::Part { first, last },
            _ => Wanted::Nothing,
        }
    });
    assert_eq!(
        range::wanted(text, size),
        expected,
        "{text:?} of {size} bytes"
    );
}

/// Stamping a document changes nothing but the stamp, and the stamp is what the page then claims.
pub fn html(bytes: &[u8]) {
    let page = HtmlDocument::parse(bytes);
    let (bare, claim) = (page.unstamped(), page.claim());
    let _ = (page.script_sources(), page.base(), page.substance());

    let stamped = page.restamped("0123456789", Some(7));
    let again = HtmlDocument::parse(&stamped);
    match claim {
        // Also without a tag: a meta tag that is empty waits for its stamp.
        Claim::Silent => assert_ne!(again.claim(), Claim::Unstamped),
        Claim::Unstamped | Claim::Build(_) => {
            assert_eq!(again.claim(), Claim::Build("0123456789".into()))
        }
    }
    assert_eq!(again.unstamped(), bare);
    assert_eq!(again.restamped("0123456789", Some(7)), stamped);
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}
