//! Reads and writes the stamp of an HTML document, which is the id of its build, and changes no other byte.
//!
//! The page takes its build from `data-build` on the changeover `<script>` tag, which is the tag with `data-release`.
//! It takes the number of its release from `data-sequence`: a release with a lower number is older than the page.
//! [`HtmlDocument::stamped`] writes both, [`HtmlDocument::unstamped`] returns the bytes without them, and
//! [`HtmlDocument::claim`] reads the build.

mod tags;

use std::ops::Range;

pub use tags::unreadable;
use tags::{Attribute, Tag};

/// Marks the changeover tag: the address of `release.json`.
const RELEASE: &str = "data-release";

/// The build that the document belongs to.
const BUILD: &str = "data-build";

/// The release that the document was made for.
const SEQUENCE: &str = "data-sequence";

/// The end of the address of a release that is published with the documents. One elsewhere has its own numbers.
const OWN_RELEASE: &str = "changeover/release.json";

/// An HTML document and its start tags.
pub struct HtmlDocument<'a> {
    bytes: &'a [u8],
    tags: Vec<Tag>,
}

/// What a document says about its build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// There is neither a changeover tag nor a `changeover-build` meta tag.
    Silent,
    /// There is a changeover tag or a meta tag without a stamp.
    Unstamped,
    /// The document says that it is this build.
    Build(String),
}

impl<'a> HtmlDocument<'a> {
    /// A document that cannot be read has no tags here, so it is not changed. See [`unreadable`].
    pub fn parse(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            tags: tags::start_tags(bytes).unwrap_or_default(),
        }
    }

    /// The build as the page reads it: `data-build` of the tag first, then the meta tag.
    pub fn claim(&self) -> Claim {
        let mut waits = false;
        for tag in self.release_tags() {
            match tag.value(BUILD) {
                Some(id) if !id.is_empty() => return Claim::Build(id.to_owned()),
                _ => waits = true,
            }
        }
        match self.meta_stamp() {
            // The stamp of the tag comes first. Without a stamp there, the meta tag counts.
            Some(stamp) if !stamp.value.is_empty() => Claim::Build(stamp.value.clone()),
            Some(_) => Claim::Unstamped,
            _ if waits => Claim::Unstamped,
            _ => Claim::Silent,
        }
    }

    /// The number of the release that the document was made for, if it has one.
    pub fn sequence(&self) -> Option<u64> {
        self.carriers()
            .find_map(|tag| tag.value(SEQUENCE))
            .and_then(|number| number.parse().ok())
    }

    /// The document with the build where it is missing or empty, and with the number of the release, if there is one.
    pub fn stamped(&self, id: &str, sequence: Option<u64>) -> Vec<u8> {
        self.rewritten(|old| if old.is_empty() { Some(id) } else { None }, sequence)
    }

    /// The document with another build, in the tag and in the meta tag.
    pub fn restamped(&self, id: &str, sequence: Option<u64>) -> Vec<u8> {
        self.rewritten(|_| Some(id), sequence)
    }

    /// The document without any stamp. It is the same for two builds whose documents only differ in their stamps.
    pub fn unstamped(&self) -> Vec<u8> {
        let mut edits = Edits::default();
        let builds = self.release_tags().flat_map(|tag| tag.attribute(BUILD));
        let numbers = self.carriers().flat_map(|tag| tag.attribute(SEQUENCE));
        for stamp in builds.chain(numbers) {
            let space = self.bytes[..stamp.span.start]
                .iter()
                .rev()
                .take_while(|b| b.is_ascii_whitespace())
                .count();
            edits.replace(stamp.span.start - space..stamp.span.end, "");
        }
        if let Some(stamp) = self.meta_stamp() {
            edits.replace(stamp.span.clone(), "content=\"\"");
        }
        if let Some(stamp) = self.slots_stamp() {
            edits.replace(stamp, "");
        }
        edits.apply(self.bytes)
    }

    /// [`HtmlDocument::unstamped`] without the list of slots, which is about their files and not about the document.
    pub fn substance(&self) -> Vec<u8> {
        let unstamped = self.unstamped();
        let mut edits = Edits::default();
        if let Some(list) = HtmlDocument::parse(&unstamped).slots_list() {
            edits.replace(list, "");
        }
        edits.apply(&unstamped)
    }

    /// The `src` of every script that a browser would run, as it is written, in document order and without the
    /// changeover tag.
    pub fn script_sources(&self) -> Vec<&str> {
        self.tags
            .iter()
            .filter(|tag| tag.name == "script" && is_javascript(tag.value("type")))
            .filter(|tag| tag.attribute(RELEASE).is_none())
            .filter_map(|tag| tag.value("src"))
            .filter(|src| !src.is_empty())
            .collect()
    }

    /// The code of every inline script, without the changeover tag.
    pub fn inline_scripts(&self) -> Vec<String> {
        self.tags
            .iter()
            .filter(|tag| tag.name == "script" && is_javascript(tag.value("type")))
            .filter(|tag| tag.attribute(RELEASE).is_none() && tag.attribute("src").is_none())
            .map(|tag| String::from_utf8_lossy(&self.bytes[tag.content.clone()]).into_owned())
            .collect()
    }

    /// The `href` of the first `<base>`, against which every relative reference is resolved.
    pub fn base(&self) -> Option<&str> {
        self.tags
            .iter()
            .filter(|tag| tag.name == "base")
            .find_map(|tag| tag.value("href"))
    }

    fn rewritten<'i>(
        &self,
        stamp_for: impl Fn(&str) -> Option<&'i str>,
        sequence: Option<u64>,
    ) -> Vec<u8> {
        let mut edits = Edits::default();
        let number = sequence.map(|number| format!("{SEQUENCE}=\"{number}\""));
        for tag in self.release_tags() {
            let mut added = String::new();
            match tag.attribute(BUILD) {
                Some(stamp) => {
                    if let Some(id) = stamp_for(&stamp.value) {
                        edits.replace(stamp.span.clone(), &format!("{BUILD}=\"{id}\""));
                    }
                }
                None => added.extend(stamp_for("").map(|id| format!(" {BUILD}=\"{id}\""))),
            }
            let number = number.as_ref().filter(|_| asks_here(tag));
            match (tag.attribute(SEQUENCE), number) {
                (Some(stamp), Some(number)) => edits.replace(stamp.span.clone(), number),
                (None, Some(number)) => added += &format!(" {number}"),
                (_, None) => {}
            }
            if !added.is_empty() {
                self.add(&mut edits, tag, RELEASE, &added);
            }
        }
        if let Some(number) = &number
            && let Some(tag) = self.meta_tag()
        {
            match tag.attribute(SEQUENCE) {
                Some(stamp) => edits.replace(stamp.span.clone(), number),
                None => self.add(&mut edits, tag, "content", &format!(" {number}")),
            }
        }
        if let Some(stamp) = self.meta_stamp()
            && let Some(id) = stamp_for(&stamp.value)
        {
            edits.replace(stamp.span.clone(), &format!("content=\"{id}\""));
        }
        if let Some(stamp) = self.slots_stamp()
            && let Some(id) = stamp_for(&String::from_utf8_lossy(&self.bytes[stamp.clone()]))
        {
            edits.replace(stamp, id);
        }
        edits.apply(self.bytes)
    }

    /// Adds attributes after the one called `after`, or before it if its value is missing after the `=`.
    fn add(&self, edits: &mut Edits, tag: &Tag, after: &str, added: &str) {
        let span = &tag.attribute(after).expect("such tags have it").span;
        if self.bytes[..span.end].ends_with(b"=") {
            let space = self.bytes[..span.start]
                .iter()
                .rev()
                .take_while(|b| b.is_ascii_whitespace())
                .count();
            let at = span.start - space;
            edits.replace(at..at, added);
        } else {
            edits.replace(span.end..span.end, added);
        }
    }

    /// The text in `<script id="changeover-slots">`, which the bundler plugin writes.
    fn slots_list(&self) -> Option<Range<usize>> {
        let tag = self
            .tags
            .iter()
            .find(|tag| tag.name == "script" && tag.value("id") == Some("changeover-slots"))?;
        let start = tag.content.start;
        // The plugin escapes every `<` in the list.
        let length = self.bytes[start..].iter().position(|byte| *byte == b'<')?;
        Some(start..start + length)
    }

    /// The build that the list of slots names at its beginning.
    fn slots_stamp(&self) -> Option<Range<usize>> {
        let list = self.slots_list()?;
        let mut at = list.start;
        for part in [&b"{"[..], b"\"build\"", b":", b"\""] {
            let rest = &self.bytes[at..list.end];
            at += rest.iter().take_while(|b| b.is_ascii_whitespace()).count();
            self.bytes[at..list.end].strip_prefix(part)?;
            at += part.len();
        }
        let length = self.bytes[at..list.end]
            .iter()
            .position(|byte| *byte == b'"')?;
        Some(at..at + length)
    }

    fn release_tags(&self) -> impl Iterator<Item = &Tag> {
        self.tags
            .iter()
            .filter(|tag| tag.name == "script" && tag.attribute(RELEASE).is_some())
    }

    /// The tags that may carry the number of a release.
    fn carriers(&self) -> impl Iterator<Item = &Tag> {
        self.release_tags().chain(self.meta_tag())
    }

    /// `<meta name="changeover-build">`.
    fn meta_tag(&self) -> Option<&Tag> {
        self.tags
            .iter()
            .filter(|tag| tag.name == "meta" && tag.value("name") == Some("changeover-build"))
            .find(|tag| tag.attribute("content").is_some())
    }

    fn meta_stamp(&self) -> Option<&Attribute> {
        self.meta_tag()?.attribute("content")
    }
}

/// No type, the empty type, `module` and the JavaScript media types run; `importmap`, `application/json` do not.
fn is_javascript(kind: Option<&str>) -> bool {
    kind.is_none_or(|kind| {
        let kind = kind.trim().to_ascii_lowercase();
        kind.is_empty()
            || kind == "module"
            || kind.ends_with("javascript")
            || kind.ends_with("ecmascript")
    })
}

/// Replacements at byte ranges that do not overlap.
#[derive(Default)]
struct Edits(Vec<(std::ops::Range<usize>, String)>);

impl Edits {
    fn replace(&mut self, range: std::ops::Range<usize>, text: &str) {
        self.0.push((range, text.to_owned()));
    }

    fn apply(mut self, bytes: &[u8]) -> Vec<u8> {
        // Insertions come before a replacement that starts at the same place.
        self.0.sort_by_key(|(range, _)| (range.start, range.end));
        let mut out = Vec::with_capacity(bytes.len() + 64);
        let mut done = 0;
        for (range, text) in &self.0 {
            out.extend_from_slice(&bytes[done..range.start]);
            out.extend_from_slice(text.as_bytes());
            done = range.end;
        }
        out.extend_from_slice(&bytes[done..]);
        out
    }
}

/// Whether the page fetches the release that is published with it.
fn asks_here(tag: &Tag) -> bool {
    let address = tag.value(RELEASE).unwrap_or_default();
    address
        .split(['?', '#'])
        .next()
        .is_some_and(|path| path.ends_with(OWN_RELEASE))
}

#[cfg(test)]
mod tests;
