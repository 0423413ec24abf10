//! The script, meta and base tags of an HTML document with their byte ranges, as a browser finds them.
//!
//! `lol_html` tokenizes, and follows the tree builder as far as tokens depend on it: raw text, foreign content, CDATA.
//! It is only used for reading: its rewriter serializes each tag that it changes, but all other bytes of the document
//! have to stay.

use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

use lol_html::html_content::Element;
use lol_html::{HtmlRewriter, Settings, element};

const HTML: &str = "http://www.w3.org/1999/xhtml";

pub struct Tag {
    /// Lower case: `script`, `meta` or `base`.
    pub name: String,
    /// In order. Of attributes with the same name only the first counts, as in browsers.
    pub attributes: Vec<Attribute>,
    /// Between the start tag and the end tag; to the end of the document where the end tag is missing.
    pub content: Range<usize>,
}

pub struct Attribute {
    /// Lower case.
    pub name: String,
    /// Without quotes and with character references resolved.
    pub value: String,
    /// From the first byte of the name to the last of the value, including quotes.
    pub span: Range<usize>,
}

impl Tag {
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|a| a.name == name)
    }

    pub fn value(&self, name: &str) -> Option<&str> {
        self.attribute(name).map(|a| a.value.as_str())
    }
}

/// Why a document cannot be read; `None` when it can.
pub fn unreadable(bytes: &[u8]) -> Option<&'static str> {
    start_tags(bytes).err()
}

/// The script, meta and base tags, or why the document cannot be read. A tag that the end of the input cuts off is
/// dropped, as in browsers.
pub fn start_tags(bytes: &[u8]) -> Result<Vec<Tag>, &'static str> {
    if let [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [b'<', 0, ..] | [0, b'<', ..] = bytes {
        return Err(
            "it is written in UTF-16, and only encodings that contain ASCII are read; save it as UTF-8",
        );
    }
    let tags = Rc::new(RefCell::new(Vec::new()));
    let found = Rc::clone(&tags);
    let settings = Settings::new()
        // Where strict mode would refuse ambiguous text, this reads it as a browser most likely does.
        .with_strict(false)
        .append_element_content_handler(element!("script, meta, base", |element| {
            if element.namespace_uri() == HTML {
                note(element, bytes, &found);
            }
            Ok(())
        }));
    let mut reader = HtmlRewriter::new(settings, |_: &[u8]| {});
    // It fails on rare malformed input (`<title/`, a zero byte, `<svg>`). Such a document is not stamped at all.
    let end = reader.write(bytes).and_then(|()| reader.end());
    end.map_err(|_| "its HTML is broken in a way that the reader cannot follow; a validator finds the place")?;
    Ok(Rc::try_unwrap(tags).map_or_else(|tags| tags.take(), RefCell::into_inner))
}

fn note(element: &mut Element<'_, '_>, bytes: &[u8], tags: &Rc<RefCell<Vec<Tag>>>) {
    let mut attributes: Vec<Attribute> = Vec::new();
    for attribute in element.attributes() {
        let Some(name) = attribute.name_source_location() else {
            continue;
        };
        let (start, mut end) = (name.bytes().start, name.bytes().end);
        if let Some(value) = attribute.value_source_location() {
            let value = value.bytes();
            end = value.end;
            let quote = bytes.get(value.start.wrapping_sub(1));
            if matches!(quote, Some(b'"' | b'\'')) && bytes.get(end) == quote {
                end += 1;
            }
        } else {
            let space = bytes[end..].iter().take_while(|b| b.is_ascii_whitespace());
            let equals = end + space.count();
            if bytes.get(equals) == Some(&b'=') {
                end = equals + 1;
            }
        }
        let attribute = Attribute {
            name: attribute.name(),
            value: htmlize::unescape_attribute(attribute.value()).into_owned(),
            span: start..end,
        };
        if attributes.iter().all(|known| known.name != attribute.name) {
            attributes.push(attribute);
        }
    }
    let start = element.source_location().bytes().end;
    let mut list = tags.borrow_mut();
    let place = list.len();
    list.push(Tag {
        name: element.tag_name(),
        attributes,
        content: start..bytes.len(),
    });
    if let Some(handlers) = element.end_tag_handlers() {
        let tags = Rc::clone(tags);
        handlers.push(Box::new(move |end| {
            tags.borrow_mut()[place].content.end = end.source_location().bytes().start;
            Ok(())
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sources of the scripts that a browser would find.
    fn scripts(html: &str) -> Vec<String> {
        start_tags(html.as_bytes())
            .unwrap()
            .into_iter()
            .filter(|tag| tag.name == "script")
            .map(|tag| tag.value("src").unwrap_or_default().to_owned())
            .collect()
    }

    #[test]
    fn comments_end_where_browsers_end_them() {
        assert_eq!(
            scripts(
                "<!--><script src=a></script><!---><script src=b></script><!-- > --!><script src=c></script>\
                 <!-- <script src=x></script> -- > --><script src=d></script>"
            ),
            ["a", "b", "c", "d"]
        );
    }

    #[test]
    fn a_script_ends_where_browsers_end_it() {
        for html in [
            "<script>a</script ><script src=i></script>",
            "<script><!-- <script> </script> <script src=b> --></script><script src=i></script>",
            "<script>'</scriptx>'<script src=b></script><script src=i></script>",
            "<script><!--></script><script src=i></script>",
        ] {
            assert_eq!(scripts(html), ["", "i"], "{html}");
        }
    }

    #[test]
    fn what_is_text_in_html_is_markup_in_foreign_content_and_the_other_way_round() {
        for html in [
            "<svg><title/></svg><script src=a></script>",
            "<svg><style/><title><b></title></svg><script src=a></script>",
            "<svg><desc><![CDATA[<script src=x></script>]]></desc></svg><script src=a></script>",
            "<math><title/></math><script src=a></script>",
            "<svg><script src=x></script></svg><script src=a></script>",
            "<title><svg></title><script src=a></script>",
            "<svg><foreignObject><title><script src=x></script></title></foreignObject></svg><script src=a></script>",
        ] {
            assert_eq!(scripts(html), ["a"], "{html}");
        }
    }

    #[test]
    fn attributes_are_read_in_every_quoting() {
        let tags =
            start_tags(b"<meta b=1 C='2&quot;' d = \"3&ampx\" e f= g=/h/ b=9 =i=j>").unwrap();
        let read: Vec<_> = tags[0]
            .attributes
            .iter()
            .map(|a| (a.name.as_str(), a.value.as_str()))
            .collect();
        assert_eq!(
            read,
            [
                ("b", "1"),
                ("c", "2\""),
                ("d", "3&ampx"),
                ("e", ""),
                ("f", "g=/h/"),
                ("=i", "j")
            ]
        );
    }

    #[test]
    fn the_content_of_a_script_is_what_stands_between_its_tags() {
        let html = b"<p><script type=module>import './a.js';</script><p><script>b";
        let texts: Vec<_> = start_tags(html)
            .unwrap()
            .into_iter()
            .map(|tag| String::from_utf8_lossy(&html[tag.content]).into_owned())
            .collect();
        assert_eq!(texts, ["import './a.js';", "b"]);
    }

    #[test]
    fn utf_16_is_not_read() {
        for text in [&b"\xff\xfe<\0p\0"[..], b"\xfe\xff\0<", b"<\0p\0", b"\0<\0p"] {
            assert!(unreadable(text).is_some());
        }
        assert_eq!(unreadable(b"\xef\xbb\xbf<p>"), None);
    }

    #[test]
    fn a_document_that_the_reader_gives_up_in_has_no_tags_at_all() {
        let html = b"<meta name=a><title/\0=><svg></svg><meta name=b>";
        assert!(unreadable(html).is_some());
    }
}
