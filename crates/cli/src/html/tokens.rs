//! Finds the start tags of an HTML document with their byte ranges, by the tokenizer rules of the HTML standard as far
//! as start tags depend on them: comments, raw text elements, attribute quoting.

use std::ops::Range;

pub struct Tag {
    /// Lower case.
    pub name: String,
    /// In order; a repeated name counts only once, the first time, as in browsers.
    pub attributes: Vec<Attribute>,
}

pub struct Attribute {
    /// Lower case.
    pub name: String,
    /// Without quotes, character references resolved.
    pub value: String,
    /// From the first byte of the name to the last of the value, quotes included.
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

/// A tag that the end of the input cuts off is dropped, as in browsers.
pub fn start_tags(bytes: &[u8]) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut at = 0;
    while let Some(found) = find(bytes, at, b"<") {
        let next = bytes.get(found + 1).copied().unwrap_or(0);
        at = if bytes[found..].starts_with(b"<!--") {
            end_of_comment(bytes, found + 4)
        } else if next == b'!' || next == b'?' {
            after(bytes, found, b">")
        } else if next == b'/' {
            match bytes.get(found + 2) {
                Some(b) if b.is_ascii_alphabetic() => match read_tag(bytes, found + 2) {
                    Some((_, end)) => end,
                    None => bytes.len(),
                },
                _ => after(bytes, found, b">"),
            }
        } else if next.is_ascii_alphabetic() {
            let Some((tag, end)) = read_tag(bytes, found + 1) else {
                break;
            };
            let end = end_of_raw_text(bytes, end, &tag.name);
            tags.push(tag);
            end
        } else {
            found + 1
        };
    }
    tags
}

/// Reads name and attributes from `at`, the first byte of the name; gives the position after `>`.
fn read_tag(bytes: &[u8], mut at: usize) -> Option<(Tag, usize)> {
    let start = at;
    while !matches!(
        *bytes.get(at)?,
        b'\t' | b'\n' | b'\x0c' | b'\r' | b' ' | b'/' | b'>'
    ) {
        at += 1;
    }
    let name = lower(&bytes[start..at]);
    let mut attributes: Vec<Attribute> = Vec::new();
    loop {
        while bytes.get(at)?.is_ascii_whitespace() || bytes[at] == b'/' {
            at += 1;
        }
        if bytes[at] == b'>' {
            return Some((Tag { name, attributes }, at + 1));
        }
        let (attribute, end) = read_attribute(bytes, at)?;
        at = end;
        if attributes.iter().all(|known| known.name != attribute.name) {
            attributes.push(attribute);
        }
    }
}

fn read_attribute(bytes: &[u8], start: usize) -> Option<(Attribute, usize)> {
    // A leading `=` belongs to the name.
    let mut at = start + 1;
    while !(bytes.get(at)?.is_ascii_whitespace() || matches!(bytes[at], b'/' | b'>' | b'=')) {
        at += 1;
    }
    let name = lower(&bytes[start..at]);
    let name_end = at;
    while bytes.get(at)?.is_ascii_whitespace() {
        at += 1;
    }
    if bytes[at] != b'=' {
        let attribute = Attribute {
            name,
            value: String::new(),
            span: start..name_end,
        };
        return Some((attribute, name_end));
    }
    at += 1;
    while bytes.get(at)?.is_ascii_whitespace() {
        at += 1;
    }
    let (value, end) = match bytes[at] {
        quote @ (b'"' | b'\'') => {
            let close = find(bytes, at + 1, &[quote])?;
            (at + 1..close, close + 1)
        }
        b'>' => (at..at, at),
        _ => {
            let first = at;
            while !(bytes.get(at)?.is_ascii_whitespace() || bytes[at] == b'>') {
                at += 1;
            }
            (first..at, at)
        }
    };
    let attribute = Attribute {
        name,
        value: resolve_references(&String::from_utf8_lossy(&bytes[value])),
        span: start..end,
    };
    Some((attribute, end))
}

fn end_of_comment(bytes: &[u8], at: usize) -> usize {
    // `<!-->` and `<!--->` are whole comments.
    for short in [&b">"[..], b"->"] {
        if bytes[at..].starts_with(short) {
            return at + short.len();
        }
    }
    let plain = find(bytes, at, b"-->").map(|found| found + 3);
    let bang = find(bytes, at, b"--!>").map(|found| found + 4);
    match (plain, bang) {
        (Some(a), Some(b)) => a.min(b),
        (a, b) => a.or(b).unwrap_or(bytes.len()),
    }
}

/// Skips the content of elements in which `<` starts nothing but their own end tag.
fn end_of_raw_text(bytes: &[u8], at: usize, name: &str) -> usize {
    match name {
        "plaintext" => bytes.len(),
        "script" => end_of_script(bytes, at),
        "style" | "textarea" | "title" | "xmp" | "iframe" | "noembed" | "noframes" | "noscript" => {
            (at..bytes.len())
                .find(|&i| is_end_tag(bytes, i, name))
                .unwrap_or(bytes.len())
        }
        _ => at,
    }
}

/// Inside `<!-- … -->` a nested `<script>` swallows one `</script>`.
fn end_of_script(bytes: &[u8], mut at: usize) -> usize {
    let (mut commented, mut nested) = (false, false);
    while at < bytes.len() {
        let rest = &bytes[at..];
        if rest.starts_with(b"<!--") {
            commented = true;
            // `<!-->` opens and closes: the dashes count for both.
            at += 2;
        } else if commented && rest.starts_with(b"-->") {
            (commented, nested) = (false, false);
            at += 3;
        } else if is_end_tag(bytes, at, "script") {
            if !nested {
                return at;
            }
            nested = false;
            at += 8;
        } else if commented && !nested && is_tag_name(bytes, at + 1, "script") && bytes[at] == b'<'
        {
            nested = true;
            at += 7;
        } else {
            at += 1;
        }
    }
    bytes.len()
}

fn is_end_tag(bytes: &[u8], at: usize, name: &str) -> bool {
    bytes[at..].starts_with(b"</") && is_tag_name(bytes, at + 2, name)
}

fn is_tag_name(bytes: &[u8], at: usize, name: &str) -> bool {
    bytes
        .get(at..at + name.len())
        .is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()))
        && bytes
            .get(at + name.len())
            .is_some_and(|b| b.is_ascii_whitespace() || matches!(b, b'/' | b'>'))
}

/// The few references that occur in URLs and ids; anything else stays as it is written.
fn resolve_references(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(found) = rest.find('&') {
        out.push_str(&rest[..found]);
        rest = &rest[found..];
        let reference = rest[1..].find(';').map(|end| &rest[1..=end]);
        match reference.and_then(character) {
            Some(character) => {
                out.push(character);
                rest = &rest[reference.map_or(0, str::len) + 2..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out + rest
}

fn character(reference: &str) -> Option<char> {
    match reference {
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "lt" => Some('<'),
        "gt" => Some('>'),
        _ => {
            let number = reference.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)
        }
    }
}

fn lower(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).to_ascii_lowercase()
}

fn after(bytes: &[u8], from: usize, what: &[u8]) -> usize {
    find(bytes, from, what).map_or(bytes.len(), |found| found + what.len())
}

fn find(bytes: &[u8], from: usize, what: &[u8]) -> Option<usize> {
    bytes
        .get(from..)?
        .windows(what.len())
        .position(|window| window == what)
        .map(|found| found + from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(html: &str) -> Vec<String> {
        start_tags(html.as_bytes())
            .into_iter()
            .map(|tag| tag.name)
            .collect()
    }

    #[test]
    fn comments_end_where_browsers_end_them() {
        assert_eq!(
            names("<!--><a><!---><b><!-- > --!><c><!-- <x> -- > --><d>"),
            ["a", "b", "c", "d"]
        );
    }

    #[test]
    fn a_script_ends_where_browsers_end_it() {
        assert_eq!(names("<script>a</script ><i>"), ["script", "i"]);
        assert_eq!(
            names("<script><!-- <script> </script> <b> --></script><i>"),
            ["script", "i"]
        );
        assert_eq!(
            names("<script>'</scriptx>'<b></script><i>"),
            ["script", "i"]
        );
        assert_eq!(names("<script><!--></script><i>"), ["script", "i"]);
    }

    #[test]
    fn attributes_are_read_in_every_quoting() {
        let tags = start_tags(b"<a b=1 C='2&quot;' d = \"3\" e f= g=/h/ b=9 =i=j>");
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
                ("d", "3"),
                ("e", ""),
                ("f", "g=/h/"),
                ("=i", "j")
            ]
        );
    }
}
