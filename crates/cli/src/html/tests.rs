//! What is found in documents, and what is left alone.

use super::*;

fn stamped(html: &str) -> String {
    String::from_utf8(HtmlDocument::parse(html.as_bytes()).stamped("b1", None)).unwrap()
}

fn unstamped(html: &str) -> String {
    String::from_utf8(HtmlDocument::parse(html.as_bytes()).unstamped()).unwrap()
}

#[test]
fn attributes_without_space_between_them_are_stamped_too() {
    let html = "<script data-release=\"changeover/release.json\"data-build=\"\"></script>";
    let page = HtmlDocument::parse(html.as_bytes());
    assert_eq!(
        String::from_utf8(page.stamped("b1", Some(7))).unwrap(),
        "<script data-release=\"changeover/release.json\" data-sequence=\"7\"data-build=\"b1\"></script>"
    );
}

#[test]
fn the_stamp_goes_into_the_tag_and_every_other_byte_stays() {
    for (before, after) in [
        (
            "<!doctype html>\r\n<SCRIPT src=a.js data-release='/r.json'></script>\t<p title=\"<script data-release>\">",
            "<!doctype html>\r\n<SCRIPT src=a.js data-release='/r.json' data-build=\"b1\"></script>\t<p title=\"<script data-release>\">",
        ),
        (
            "<script data-release=/r></script>",
            "<script data-release=/r data-build=\"b1\"></script>",
        ),
        (
            "<script data-release></script>",
            "<script data-release data-build=\"b1\"></script>",
        ),
        (
            "<script defer data-release=></script>",
            "<script defer data-build=\"b1\" data-release=></script>",
        ),
        (
            "<script data-build='' data-release></script>",
            "<script data-build=\"b1\" data-release></script>",
        ),
        (
            "<script data-build data-release></script>",
            "<script data-build=\"b1\" data-release></script>",
        ),
        (
            "<script\n  DATA-RELEASE = \"/r\"\n  async></script>",
            "<script\n  DATA-RELEASE = \"/r\" data-build=\"b1\"\n  async></script>",
        ),
    ] {
        assert_eq!(stamped(before), after);
    }
}

#[test]
fn what_only_looks_like_the_tag_is_not_stamped() {
    for html in [
        "<!-- <script data-release=x></script> --><p>",
        "<script>var s = '<script data-release=x>';</script>",
        "<textarea><script data-release=x></script></textarea>",
        "<style>/*<script data-release=x>*/</style>",
        "<div data-release=x></div>",
        "<p>1 < 2 <script ",
        "<script data-released=x></script>",
        "<noscript><script data-release=x></script></noscript>",
    ] {
        assert_eq!(stamped(html), html);
    }
}

#[test]
fn a_stamp_that_is_there_stays_until_it_is_replaced_on_purpose() {
    let html = b"<script data-release=/r data-build=mine></script>";
    let page = HtmlDocument::parse(html);
    assert_eq!(page.claim(), Claim::Build("mine".into()));
    assert_eq!(page.stamped("b1", None), html);
    assert_eq!(
        page.restamped("b1", None),
        b"<script data-release=/r data-build=\"b1\"></script>"
    );
}

#[test]
fn removing_the_stamp_gives_back_the_document_before_it() {
    let before = "<head><script data-release='/r' defer></script>";
    assert_eq!(unstamped(&stamped(before)), before);
    assert_eq!(
        unstamped("<script data-build=\"x\" data-release></script>"),
        "<script data-release></script>"
    );
}

#[test]
fn the_number_of_the_release_stands_beside_the_build() {
    let numbered = |html: &str, number| {
        String::from_utf8(HtmlDocument::parse(html.as_bytes()).stamped("b1", Some(number))).unwrap()
    };
    for (before, after) in [
        (
            "<script data-release=/changeover/release.json defer></script>",
            "<script data-release=/changeover/release.json data-build=\"b1\" data-sequence=\"7\" defer></script>",
        ),
        (
            "<script data-release='../changeover/release.json?v=1'></script>",
            "<script data-release='../changeover/release.json?v=1' data-build=\"b1\" data-sequence=\"7\"></script>",
        ),
        (
            "<meta name=changeover-build content=''>",
            "<meta name=changeover-build content=\"b1\" data-sequence=\"7\">",
        ),
    ] {
        assert_eq!(numbered(before, 7), after);
        let page = HtmlDocument::parse(after.as_bytes());
        assert_eq!(page.sequence(), Some(7));
        assert_eq!(numbered(after, 8), after.replace("\"7\"", "\"8\""));
        assert_eq!(page.stamped("b2", None), after.as_bytes());
        assert_eq!(unstamped(after), unstamped(before));
    }
    assert_eq!(
        HtmlDocument::parse(b"<script data-release>").sequence(),
        None
    );
    assert_eq!(
        numbered(
            "<script data-release=https://other.test/r.json></script>",
            7
        ),
        "<script data-release=https://other.test/r.json data-build=\"b1\"></script>"
    );
    assert_eq!(numbered("<p>", 7), "<p>");
}

#[test]
fn reading_is_linear_in_comments_and_attributes() {
    // Each once took minutes, not milliseconds.
    for part in [
        "<!-- x -->",
        "<!--",
        "<p a=1 ",
        "<svg><title/></svg>",
        "<![CDATA[",
    ] {
        let html = part.repeat(1_000_000 / part.len()) + "<script data-release></script>";
        HtmlDocument::parse(html.as_bytes()).stamped("b1", Some(1));
    }
}

#[test]
fn the_list_of_slots_carries_the_stamp_and_is_no_part_of_what_the_document_is() {
    let page = |build: &str, file: &str| {
        format!(
            "<script data-release data-build=\"{build}\"></script><script type=\"application/json\" \
             id=changeover-slots> {{\"build\" : \"{build}\",\"base\":\"/\",\"slots\":{{\"a\":{{\"file\":\"{file}\"}}}}}}</script><p>"
        )
    };
    let restamped = |html: &str| {
        String::from_utf8(HtmlDocument::parse(html.as_bytes()).restamped("new", None)).unwrap()
    };
    let substance = |html: &str| HtmlDocument::parse(html.as_bytes()).substance();
    assert_eq!(restamped(&page("old", "a-1.js")), page("new", "a-1.js"));
    assert_eq!(
        unstamped(&page("old", "a-1.js")),
        unstamped(&page("new", "a-1.js"))
    );
    assert_ne!(
        unstamped(&page("old", "a-1.js")),
        unstamped(&page("old", "a-2.js"))
    );
    assert_eq!(
        substance(&page("old", "a-1.js")),
        substance(&page("new", "a-2.js"))
    );
    for odd in [
        "<script id=changeover-slots>",
        "<script id=changeover-slots>{}</script>",
        "<script id=changeover-slots",
        "<script id=changeover-slots>{\"build\":\"x</script>",
    ] {
        assert_eq!(restamped(odd), odd);
    }
}

#[test]
fn a_meta_tag_carries_the_claim_when_the_tag_does_not() {
    let html = b"<meta content='v7' name=changeover-build>";
    let page = HtmlDocument::parse(html);
    assert_eq!(page.claim(), Claim::Build("v7".into()));
    assert_eq!(
        page.restamped("v8", None),
        b"<meta content=\"v8\" name=changeover-build>"
    );
    assert_eq!(
        HtmlDocument::parse(b"<meta name=changeover-build content>").claim(),
        Claim::Unstamped
    );
    assert_eq!(HtmlDocument::parse(b"<p>").claim(), Claim::Silent);
    assert_eq!(
        HtmlDocument::parse(b"<script data-release>").claim(),
        Claim::Unstamped
    );
}

#[test]
fn scripts_that_run_are_listed_and_data_blocks_are_not() {
    let page = HtmlDocument::parse(
        b"<base href=/x/><script src=z.js data-release></script><script src=a.js></script><script type=module src='b.js?x=1&amp;y=2'></script>\
          <script type=importmap src=c.json></script><script>inline</script><script type=text/javascript src=d.js></script>",
    );
    assert_eq!(page.script_sources(), ["a.js", "b.js?x=1&y=2", "d.js"]);
    assert_eq!(page.base(), Some("/x/"));
}

#[test]
fn cut_off_and_binary_documents_do_not_panic() {
    let whole = "<!--a--><script data-release='x' data-build=\"y\"><!--<script></script>--></script><p a=b c='d'>&#x41;</p>";
    for end in 0..whole.len() {
        let page = HtmlDocument::parse(&whole.as_bytes()[..end]);
        page.stamped("b1", None);
        page.unstamped();
    }
    let noise: Vec<u8> = (0..20_000u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    HtmlDocument::parse(&noise).stamped("b1", None);
}
