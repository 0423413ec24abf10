//! The output of `changeover diff`: sentences, JSON, and Markdown for a comment on a pull request.

use std::fmt::Write as _;

use changeover::engine::swap::{Plan, Refusal, SwapPlan, Why};
use serde_json::{Value, json};

use crate::diff::Difference;

/// Further reasons are counted and not listed.
const MOST_REASONS: usize = 8;

impl Difference {
    /// A stable code for the result.
    pub fn outcome(&self) -> &'static str {
        match &self.plan {
            Plan::Nothing(_) => "nothing",
            Plan::Styles(_) => "styles",
            Plan::Swap(_) => "swap",
            Plan::Refuse(_) => "refresh",
        }
    }

    /// The result in one sentence.
    pub fn headline(&self) -> String {
        let said = match &self.plan {
            Plan::Nothing(_) => "nothing that runs in a page changed, no refresh".to_owned(),
            Plan::Styles(moves) => format!("styles swap ({}), no refresh", bytes(moves.new_bytes)),
            Plan::Swap(moves) if moves.slots.is_empty() => {
                format!("{}, no refresh", added(moves))
            }
            Plan::Swap(moves) => {
                let slots = count(moves.slots.len(), "slot swaps", "slots swap");
                format!("{slots} ({}), no refresh", bytes(moves.new_bytes))
            }
            Plan::Refuse(refusals) => {
                let first = refusals.first().map(because).unwrap_or_default();
                format!("refresh, because {first}")
            }
        };
        format!("this deploy: {said}")
    }

    /// The headline and its details, line by line.
    pub fn sentences(&self) -> Vec<String> {
        let mut lines = vec![self.headline()];
        match &self.plan {
            Plan::Nothing(_) => {}
            Plan::Refuse(refusals) => {
                for refusal in refusals.iter().skip(1).take(MOST_REASONS - 1) {
                    lines.push(format!("  also, {}", because(refusal)));
                }
                lines.extend(
                    refusals
                        .len()
                        .checked_sub(MOST_REASONS)
                        .filter(|more| *more > 0)
                        .map(|more| format!("  and {more} more; --json has all of them")),
                );
                lines.extend(hint(refusals).map(|hint| format!("  {hint}")));
            }
            Plan::Styles(moves) | Plan::Swap(moves) => {
                for slot in &moves.slots {
                    let root = changed(&slot.root);
                    let schema = if slot.from_schema == slot.to_schema {
                        String::new()
                    } else {
                        format!(
                            "; its state goes from schema {} to {}",
                            slot.from_schema, slot.to_schema
                        )
                    };
                    lines.push(format!("  {}: {root}{schema}", slot.pointer.slot));
                }
                for pointer in &moves.moved {
                    let what = if self.old.slots.contains_key(&pointer.slot) {
                        "styles"
                    } else {
                        "new"
                    };
                    lines.push(format!("  {}: {what}", pointer.slot));
                }
                if !moves.slots.is_empty() {
                    lines.push("  where a slot is not mounted, only its pointer moves".into());
                }
            }
        }
        lines
    }

    pub fn fields(&self) -> Value {
        let mut fields = json!({
            "ok": true,
            "old": self.old.id,
            "new": self.new.id,
            "outcome": self.outcome(),
            "refresh": matches!(self.plan, Plan::Refuse(_)),
            "summary": self.headline(),
            "slots": [],
            "pointers": [],
            "files": [],
            "styles": { "in": [], "out": [] },
            "bytes": { "new": 0, "total": 0, "dead": 0 },
            "reasons": [],
        });
        match &self.plan {
            Plan::Nothing(moves) | Plan::Styles(moves) | Plan::Swap(moves) => {
                fields["slots"] = moves
                    .slots
                    .iter()
                    .map(|slot| {
                        json!({
                            "slot": slot.pointer.slot,
                            "from": slot.from_file,
                            "to": slot.pointer.file,
                            "css": slot.pointer.css,
                            "schema": { "from": slot.from_schema, "to": slot.to_schema },
                            "root": slot.root,
                        })
                    })
                    .collect();
                fields["pointers"] = moves
                    .moved
                    .iter()
                    .map(|pointer| json!({ "slot": pointer.slot, "to": pointer.file, "css": pointer.css }))
                    .collect();
                fields["files"] = moves
                    .fetch
                    .iter()
                    .map(|fetch| json!({ "file": fetch.file, "size": fetch.size }))
                    .collect();
                fields["styles"] = json!({ "in": moves.styles_in, "out": moves.styles_out });
                fields["bytes"] = json!({ "new": moves.new_bytes, "total": moves.total_bytes, "dead": moves.dead_bytes });
            }
            Plan::Refuse(refusals) => {
                fields["reasons"] = refusals
                    .iter()
                    .map(|refusal| {
                        json!({
                            "code": refusal.why.code(),
                            "slot": refusal.slot,
                            "file": refusal.file,
                            "module": refusal.module,
                            "root": refusal.root,
                            "missing": refusal.missing,
                            "message": because(refusal),
                        })
                    })
                    .collect();
            }
        }
        fields
    }

    /// For a comment on a pull request.
    pub fn markdown(&self) -> String {
        let mut text = format!("**{}**\n", escaped(&self.headline()));
        match &self.plan {
            Plan::Nothing(_) => {}
            Plan::Styles(moves) | Plan::Swap(moves) => {
                if !moves.slots.is_empty() {
                    text += "\n| slot | because | state |\n|---|---|---|\n";
                }
                for slot in &moves.slots {
                    let state = if slot.from_schema == slot.to_schema {
                        "as it is".to_owned()
                    } else {
                        format!("schema {} → {}", slot.from_schema, slot.to_schema)
                    };
                    let name = code(&slot.pointer.slot);
                    let _ = writeln!(text, "| {name} | {} | {state} |", way(&slot.root));
                }
                if !moves.moved.is_empty() {
                    let names: Vec<_> = moves
                        .moved
                        .iter()
                        .map(|pointer| code(&pointer.slot))
                        .collect();
                    let _ = writeln!(text, "\nOnly their pointers move: {}", names.join(", "));
                }
                if !moves.fetch.is_empty() {
                    let _ = writeln!(
                        text,
                        "\n<details><summary>{} to fetch</summary>\n",
                        count(moves.fetch.len(), "file", "files")
                    );
                    for fetch in &moves.fetch {
                        let _ = writeln!(text, "- {} {}", code(&fetch.file), bytes(fetch.size));
                    }
                    text += "\n</details>\n";
                }
            }
            Plan::Refuse(refusals) => {
                text += "\n| reason | slot | module |\n|---|---|---|\n";
                for refusal in refusals.iter().take(MOST_REASONS) {
                    let slot = refusal.slot.as_deref().map(code).unwrap_or_default();
                    let root = way(&refusal.root);
                    let _ = writeln!(text, "| {} | {slot} | {root} |", code(refusal.why.code()));
                }
                if let Some(hint) = hint(refusals) {
                    let _ = writeln!(text, "\n{}", escaped(&hint));
                }
            }
        }
        text
    }
}

/// Slots that no page has yet.
fn added(moves: &SwapPlan) -> String {
    count(moves.moved.len(), "new slot", "new slots")
}

/// Why a refresh is needed, to be read after "because".
fn because(refusal: &Refusal) -> String {
    let module = || named(refusal.module.as_deref().or(refusal.file.as_deref()));
    let slot = || named(refusal.slot.as_deref());
    let way = match refusal.root.len() {
        0 | 1 => String::new(),
        _ => format!(" ({})", refusal.root.join(" > ")),
    };
    match refusal.why {
        Why::EntryChanged => format!("{} changed, which starts the app", module()),
        Why::ShellChanged => format!("{} changed, which is part of the shell{way}", module()),
        Why::HtmlChanged => "the HTML changed".into(),
        Why::BaseChanged => "the files are at another place".into(),
        Why::EpochChanged => "the epoch changed".into(),
        Why::SecondCopy => {
            format!(
                "slot {} needs another {} than the one that stays in the page{way}",
                slot(),
                module()
            )
        }
        Why::PinnedChanged => format!("{} changed, which is pinned{way}", module()),
        Why::SlotRemoved => format!("slot {} is gone", slot()),
        Why::SlotKindChanged => format!("slot {} is of another kind", slot()),
        Why::NoMigrationPath => format!(
            "slot {} does not read the state that the running one writes",
            slot()
        ),
        Why::BudgetSpent => "the page has taken enough generations".into(),
        Why::BadBuild => "the build did not work in this page".into(),
        Why::SignatureMissing => format!(
            "slot {} needs the export {} of {}, which the running one does not have{way}",
            slot(),
            named(refusal.missing.as_deref()),
            module()
        ),
        Why::ElementRedefined => format!("slot {} defines a custom element again", slot()),
        Why::UnsupportedKind => format!("slot {} is of a kind that cannot be swapped", slot()),
        Why::FileReplaced => {
            let file = named(refusal.file.as_deref());
            format!("{file} has other content under the same name{way}")
        }
        Why::FileUnlisted => {
            format!(
                "the manifest does not describe {}{way}",
                named(refusal.missing.as_deref())
            )
        }
        Why::RollBackFailed => "going back from the last swap failed".into(),
    }
}

/// Advice, if a change of the build would avoid the refresh.
fn hint(refusals: &[Refusal]) -> Option<String> {
    let missing = refusals
        .iter()
        .find(|refusal| refusal.why == Why::SignatureMissing)?;
    let module = missing.module.as_deref()?;
    // A chunk without a module of its own cannot be named in the options.
    let what = match module.strip_prefix("chunk:") {
        Some(chunk) => format!("the module that is used from the chunk {chunk}"),
        None => module.to_owned(),
    };
    Some(format!(
        "pinning {what} would make this a swap the next time"
    ))
}

fn changed(root: &[String]) -> String {
    match root {
        [] => "its file changed".into(),
        [own] => format!("{own} changed"),
        [.., last] => format!("{last} changed ({})", root.join(" > ")),
    }
}

fn named(name: Option<&str>) -> String {
    name.unwrap_or("a file").to_owned()
}

fn way(root: &[String]) -> String {
    root.iter()
        .map(|module| code(module))
        .collect::<Vec<_>>()
        .join(" → ")
}

/// A name in a table of Markdown.
fn code(name: &str) -> String {
    let ticks = if name.contains('`') { "``" } else { "`" };
    format!(
        "{ticks}{}{ticks}",
        name.replace('|', "\\|").replace(['\n', '\r'], " ")
    )
}

fn escaped(text: &str) -> String {
    let mut plain = String::new();
    for character in text.chars() {
        if matches!(character, '*' | '_' | '`' | '<' | '>' | '[' | ']' | '\\') {
            plain.push('\\');
        }
        plain.push(character);
    }
    plain
}

fn count(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// In units of 1000, as browsers and bundlers print sizes.
fn bytes(count: u64) -> String {
    match count {
        0..1_000 => format!("{count} B"),
        // What would round up to 1000.0 kB is a megabyte.
        1_000..999_950 => format!("{:.1} kB", count as f64 / 1e3),
        _ => format!("{:.1} MB", count as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_said_in_the_unit_that_fits() {
        for (count, said) in [
            (0, "0 B"),
            (599, "599 B"),
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (1_918, "1.9 kB"),
            (999_949, "999.9 kB"),
            (999_950, "1.0 MB"),
            (225_000_000, "225.0 MB"),
        ] {
            assert_eq!(bytes(count), said);
        }
    }

    #[test]
    fn a_name_cannot_break_out_of_a_table() {
        assert_eq!(code("a|b"), "`a\\|b`");
        assert_eq!(code("a`b\nc"), "``a`b c``");
        assert_eq!(escaped("a_b <c>"), "a\\_b \\<c\\>");
    }
}
