//! Which builds a site keeps, and the removal of the others after the pointer has moved.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use changeover::engine::release::Release;

use crate::{
    atomic_write::{remove_file, remove_folder, same_bytes},
    deploy::files_of,
    error::{At, Result},
    failpoints::failpoint,
    history::Entry,
    site::Site,
    time::{parse_rfc3339, unix_now},
};

/// A build is kept while either condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// It is one of this many builds that were live most recently.
    pub builds: usize,
    /// It was live within this many days.
    pub days: u64,
}

impl Default for Keep {
    /// Ten builds, because teams that deploy ten times a day have tabs from yesterday; thirty days, because teams that
    /// deploy once a week have tabs from last month.
    fn default() -> Self {
        Self {
            builds: 10,
            days: 30,
        }
    }
}

/// Removes the builds that are not kept and returns their ids. The caller holds the lock, and `live` is the live
/// release.
pub fn prune(site: &Site, live: &Release, keep: Keep) -> Result<Vec<String>> {
    let history = site.history(Some(live))?;
    let kept = kept(&history, live, keep, unix_now());
    let recorded = site.recorded()?;
    let (retained, mut pruned): (Vec<_>, Vec<_>) = site
        .builds()?
        .into_iter()
        .partition(|id| kept.contains(id) || recorded.may_hide(id));
    tidy_documents(site, live)?;
    for id in &pruned {
        remove_build(site, id, &retained)?;
        failpoint("build pruned");
    }
    pruned.sort();
    Ok(pruned)
}

/// The builds to keep: by number, by age, and always those that the live and the previous release need.
fn kept(history: &[Entry], live: &Release, keep: Keep, now: u64) -> BTreeSet<String> {
    let mut kept = BTreeSet::from([live.build.id.0.clone()]);
    let otherwise = live
        .rollout
        .as_ref()
        .and_then(|rollout| rollout.otherwise.as_ref());
    kept.extend(otherwise.map(|build| build.id.0.clone()));

    let mut seen = Vec::new();
    // A build's age counts from the moment another one replaced it: until then new tabs started on it.
    let mut replaced = now;
    for entry in history.iter().rev() {
        let age = now.saturating_sub(replaced);
        let is_new = !seen.contains(&&entry.build);
        if is_new {
            seen.push(&entry.build);
        }
        // The live build and the one before it are the first two.
        if is_new && (seen.len() <= keep.builds.max(2) || age < keep.days * 86_400) {
            kept.insert(entry.build.clone());
        }
        replaced = parse_rfc3339(&entry.published.time).unwrap_or(replaced);
    }
    kept
}

/// Removes documents of earlier builds from what a static host answers from: they would start new tabs on an old build.
pub fn tidy_documents(site: &Site, live: &Release) -> Result<()> {
    let Ok(current) = site.manifest(&live.build.id.0) else {
        return Ok(());
    };
    for id in site.builds()?.iter().filter(|id| **id != live.build.id.0) {
        let Ok(manifest) = site.manifest(id) else {
            continue;
        };
        for path in manifest
            .documents
            .keys()
            .filter(|path| !current.documents.contains_key(path.as_str()))
        {
            let view = site.root().join(path);
            if same_bytes(&site.files(id).join(path), &view)? {
                remove_file(&view)?;
                remove_empty_folders(site, &view);
            }
        }
    }
    Ok(())
}

/// The build's own folder goes last: if this is interrupted, its listing says what is left to remove.
fn remove_build(site: &Site, id: &str, retained: &[String]) -> Result<()> {
    let folder = site.files(id);
    let mut needed = BTreeSet::new();
    for other in retained {
        if let Ok(manifest) = site.manifest(other) {
            needed.extend(files_of(&manifest).map(|(path, _)| path));
        }
    }
    for path in files_below(&folder)? {
        let view = site.root().join(&path);
        // A file that has changed since does not belong to this build.
        if !needed.contains(&path) && same_bytes(&folder.join(&path), &view)? {
            remove_file(&view)?;
            remove_empty_folders(site, &view);
            failpoint("asset pruned");
        }
    }
    remove_file(&site.manifest_file(id))?;
    failpoint("manifest pruned");
    remove_folder(&folder)
}

fn files_below(folder: &Path) -> Result<Vec<String>> {
    let mut files = Vec::new();
    let mut open = vec![(folder.to_path_buf(), String::new())];
    while let Some((folder, prefix)) = open.pop() {
        for entry in fs::read_dir(&folder).at("list", &folder)? {
            let entry = entry.at("list", &folder)?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let path = format!("{prefix}{name}");
            if entry.path().is_dir() {
                open.push((entry.path(), format!("{path}/")));
            } else {
                files.push(path);
            }
        }
    }
    Ok(files)
}

/// Removes the folders above `file` as long as they are empty and inside the site.
fn remove_empty_folders(site: &Site, file: &Path) {
    for folder in file.ancestors().skip(1) {
        if folder == site.root()
            || !folder.starts_with(site.root())
            || fs::remove_dir(folder).is_err()
        {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Publication;
    use crate::time::rfc3339;
    use changeover::engine::release::{BuildRef, Rollout};
    use changeover::ids::BuildId;

    const DAY: u64 = 86_400;
    const NOW: u64 = 1_000 * DAY;

    /// Builds with how many days ago each was published, oldest first.
    fn history(builds: &[(&str, u64)]) -> Vec<Entry> {
        builds
            .iter()
            .enumerate()
            .map(|(n, (build, days_ago))| Entry {
                release: release(build, n as u64 + 1).into(),
                published: Publication {
                    time: rfc3339(NOW - days_ago * DAY),
                    ..Publication::default()
                },
                build: (*build).into(),
                commit: None,
                live: true,
            })
            .collect()
    }

    fn release(build: &str, sequence: u64) -> Release {
        Release::new(
            "shop",
            "stable",
            sequence,
            "2026-01-01T00:00:00Z",
            reference(build),
        )
    }

    fn reference(build: &str) -> BuildRef {
        BuildRef {
            id: BuildId(build.into()),
            manifest: Some(format!("builds/{build}.json")),
            integrity: None,
        }
    }

    fn kept_of(builds: &[(&str, u64)], keep: Keep) -> Vec<String> {
        let history = history(builds);
        let live = history.last().unwrap().release.clone();
        kept(&history, &live, keep, NOW).into_iter().collect()
    }

    #[test]
    fn a_build_is_kept_by_number_or_by_age() {
        let builds = [("a", 90), ("b", 40), ("c", 20), ("d", 10), ("e", 1)];
        // b was replaced 20 days ago, a 40 days ago.
        assert_eq!(
            kept_of(
                &builds,
                Keep {
                    builds: 2,
                    days: 30
                }
            ),
            ["b", "c", "d", "e"]
        );
        assert_eq!(
            kept_of(&builds, Keep { builds: 5, days: 0 }),
            ["a", "b", "c", "d", "e"]
        );
        assert_eq!(
            kept_of(&builds, Keep { builds: 3, days: 0 }),
            ["c", "d", "e"]
        );
    }

    #[test]
    fn the_live_and_the_previous_build_are_always_kept() {
        let builds = [("a", 900), ("b", 800), ("c", 700)];
        assert_eq!(kept_of(&builds, Keep { builds: 0, days: 0 }), ["b", "c"]);
    }

    #[test]
    fn a_rollback_counts_as_the_last_use_of_its_build() {
        let builds = [("a", 900), ("b", 800), ("c", 700), ("a", 600)];
        assert_eq!(kept_of(&builds, Keep { builds: 2, days: 0 }), ["a", "c"]);
    }

    #[test]
    fn the_other_build_of_a_rollout_is_kept() {
        let history = history(&[("a", 900), ("b", 800), ("c", 700)]);
        let mut live: Release = (*history[2].release).clone();
        live.rollout = Some(Rollout {
            percent: 10,
            salt: "x".into(),
            otherwise: Some(reference("a")),
        });
        let kept = kept(&history, &live, Keep { builds: 0, days: 0 }, NOW);
        assert!(kept.contains("a"));
    }
}
