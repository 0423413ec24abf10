//! The paths that a Rust file names, inside macros too.

use std::str::FromStr;

use anyhow::Result;
use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// A path as it is written, from an expanded `use` tree, and its line.
#[derive(Debug)]
pub struct Named {
    pub segments: Vec<String>,
    pub line: usize,
    pub in_tests: bool,
}

pub fn names_in(text: &str) -> Result<Vec<Named>> {
    let tokens = TokenStream::from_str(text).map_err(|error| anyhow::anyhow!("{error}"))?;
    let mut names = Vec::new();
    collect(tokens, &[], false, &mut names);
    Ok(names)
}

/// Gathers every path of a token stream. A `{…}` after `::` continues the path in front of it, which expands `use`
/// trees.
fn collect(tokens: TokenStream, prefix: &[String], in_tests: bool, names: &mut Vec<Named>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    let mut test_item = false;
    while at < tokens.len() {
        match &tokens[at] {
            TokenTree::Punct(mark)
                if mark.as_char() == '#' && is_test_attribute(&tokens[at + 1..]) =>
            {
                test_item = true;
                at += 2;
            }
            TokenTree::Punct(mark) => {
                test_item &= mark.as_char() != ';';
                at += 1;
            }
            TokenTree::Group(group) => {
                let inside = in_tests || test_item;
                collect(
                    group.stream(),
                    if prefix.is_empty() { &[] } else { prefix },
                    inside,
                    names,
                );
                test_item &= group.delimiter() != Delimiter::Brace;
                at += 1;
            }
            TokenTree::Literal(_) => at += 1,
            TokenTree::Ident(start) => {
                let mut segments = prefix.to_vec();
                segments.push(plain(&start.to_string()));
                let line = start.span().start().line;
                at += 1;
                let mut unfolded = false;
                while is_double_colon(&tokens[at..]) {
                    match tokens.get(at + 2) {
                        Some(TokenTree::Ident(next)) => {
                            segments.push(plain(&next.to_string()));
                            at += 3;
                        }
                        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                            collect(group.stream(), &segments, in_tests || test_item, names);
                            unfolded = true;
                            at += 3;
                        }
                        _ => {
                            at += 2;
                            break;
                        }
                    }
                }
                if !unfolded {
                    names.push(Named {
                        segments,
                        line,
                        in_tests: in_tests || test_item,
                    });
                }
            }
        }
    }
}

fn plain(identifier: &str) -> String {
    identifier.trim_start_matches("r#").to_owned()
}

fn is_double_colon(tokens: &[TokenTree]) -> bool {
    matches!(tokens, [TokenTree::Punct(a), TokenTree::Punct(b), ..]
        if a.as_char() == ':' && a.spacing() == Spacing::Joint && b.as_char() == ':')
}

/// Whether the tokens after a `#` are `[cfg(test)]`.
fn is_test_attribute(tokens: &[TokenTree]) -> bool {
    matches!(tokens.first(), Some(TokenTree::Group(group)) if group.stream().to_string().replace(' ', "") == "cfg(test)")
}
