//! The path under which a site is mounted, and references relative to it.

use super::plain::texts_in;
use crate::error::{Error, Result};
use crate::html::HtmlDocument;
use crate::url::decoded;

/// `/`, `/app/` or a whole URL, always with a slash at the end. `./` and the empty base work anywhere, so they become
/// `/`.
pub fn normalised(base: &str) -> Result<String> {
    let base = base.trim();
    if matches!(base, "" | "." | "./" | "/") {
        return Ok("/".into());
    }
    let is_path = base.starts_with('/') && !base.starts_with("//");
    if !(is_path || base.starts_with("http://") || base.starts_with("https://"))
        || base.contains(['?', '#', '\\'])
    {
        return Err(Error::new(
            "base-invalid",
            format!("the base {base:?} is neither a path such as /app/ nor a URL"),
        ));
    }
    Ok(if base.ends_with('/') {
        base.into()
    } else {
        format!("{base}/")
    })
}

/// The base for which the root-absolute scripts of `index.html`, in tags or in inline modules, are files of the dist;
/// else its `<base>`; else `/`.
pub fn inferred(index: &HtmlDocument, is_file: impl Fn(&str) -> bool) -> String {
    let inline = index.inline_scripts();
    let named = inline.iter().flat_map(|code| texts_in(code));
    for source in index.script_sources().into_iter().chain(named) {
        let source = source.split(['?', '#']).next().unwrap_or_default();
        if !source.starts_with('/') || source.starts_with("//") {
            continue;
        }
        // The shortest prefix wins: /a/b/c.js is a/b/c.js under / before it is b/c.js under /a/.
        for (slash, _) in source.match_indices('/') {
            if is_file(&decoded(&source[slash + 1..])) {
                return source[..=slash].to_owned();
            }
        }
    }
    let base = index
        .base()
        .map(|base| base.split(['?', '#']).next().unwrap_or_default())
        .filter(|base| base.starts_with('/') && !base.starts_with("//"));
    base.and_then(|base| Some(base[..=base.rfind('/')?].to_owned()))
        .unwrap_or_else(|| "/".into())
}

/// The path in the dist that `reference` in the root document means; `None` when it leads elsewhere.
pub fn resolved(reference: &str, document_base: Option<&str>, site_base: &str) -> Option<String> {
    let reference = reference.split(['?', '#']).next().unwrap_or_default();
    if reference.starts_with("//") {
        return None;
    }
    let absolute = if reference.starts_with('/') || has_scheme(reference) {
        reference.to_owned()
    } else {
        match document_base.map(|base| base.split(['?', '#']).next().unwrap_or_default()) {
            Some(base) if base.starts_with('/') || has_scheme(base) => {
                format!("{}{reference}", &base[..=base.rfind('/')?])
            }
            Some(base) => format!(
                "{site_base}{}{reference}",
                base.rfind('/').map_or("", |slash| &base[..=slash])
            ),
            None => format!("{site_base}{reference}"),
        }
    };
    let mut parts = Vec::new();
    for part in absolute.strip_prefix(site_base)?.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop()?;
            }
            _ => parts.push(decoded(part)),
        }
    }
    Some(parts.join("/"))
}

fn has_scheme(reference: &str) -> bool {
    reference.split_once(':').is_some_and(|(scheme, _)| {
        !scheme.is_empty()
            && scheme
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_has_one_spelling() {
        for (given, base) in [
            ("", "/"),
            ("./", "/"),
            ("/app", "/app/"),
            ("/a/b/", "/a/b/"),
            ("https://cdn.example/x", "https://cdn.example/x/"),
        ] {
            assert_eq!(normalised(given).unwrap(), base);
        }
        for given in ["app", "//cdn/x", "/a?b", "ftp://x/"] {
            assert_eq!(normalised(given).unwrap_err().code(), "base-invalid");
        }
    }

    #[test]
    fn the_base_is_inferred_from_the_scripts_of_the_index() {
        let is_file = |path: &str| ["main.js", "assets/a b.js"].contains(&path);
        for (html, base) in [
            ("<script src=/main.js></script>", "/"),
            ("<script src=/app/main.js></script>", "/app/"),
            ("<script src='/x/y/assets/a%20b.js?1'></script>", "/x/y/"),
            ("<script src=main.js></script>", "/"),
            ("<base href=/x/y?z><script src=main.js></script>", "/x/"),
            ("<base href=//cdn/x/><script src=main.js></script>", "/"),
            ("<script type=module>import '/x/main.js'</script>", "/x/"),
            (
                "<script src=//cdn/main.js></script><script src=/other.js></script>",
                "/",
            ),
        ] {
            assert_eq!(
                inferred(&HtmlDocument::parse(html.as_bytes()), is_file),
                base,
                "{html}"
            );
        }
    }

    #[test]
    fn references_are_resolved_as_browsers_do() {
        for (reference, document_base, site_base, path) in [
            ("a.js", None, "/", Some("a.js")),
            ("./x/../a.js?v=1#h", None, "/", Some("a.js")),
            ("/app/a.js", None, "/app/", Some("a.js")),
            ("/a.js", None, "/app/", None),
            ("../a.js", None, "/app/", None),
            ("a.js", Some("/app/"), "/app/", Some("a.js")),
            ("a.js", Some("sub/x.html"), "/", Some("sub/a.js")),
            (
                "https://cdn.example/x/a.js",
                None,
                "https://cdn.example/x/",
                Some("a.js"),
            ),
            ("https://cdn.example/x/a.js", None, "/", None),
            ("//cdn.example/a.js", None, "/", None),
        ] {
            assert_eq!(
                resolved(reference, document_base, site_base).as_deref(),
                path,
                "{reference} {document_base:?} {site_base}"
            );
        }
    }
}
