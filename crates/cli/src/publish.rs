//! `changeover publish`: a dist becomes the live release of a site.
//!
//! If it is killed, either the old or the new release is live, and running it again completes it.

use std::path::{Path, PathBuf};

use changeover::engine::format::is_id;
use changeover::engine::manifest::Manifest;
use changeover::engine::release::{BuildRef, MESSAGE_LIMIT, Release};

use crate::amend::Announcement;
use crate::build::{Build, Description, Hints, NAMELESS, Note};
use crate::collisions;
use crate::deploy::{self, Contents, Deployment, Locked, Placed, Who};
use crate::error::{At, Error, Result};
use crate::git;
use crate::history::{Entry, builds_by_recency};
use crate::html::HtmlDocument;
use crate::retain::{self, Keep};
use crate::site::Site;
use crate::stores;

/// What to publish, where, and how to announce it.
#[derive(Clone, Debug)]
pub struct PublishOptions {
    pub dist: PathBuf,
    pub site: PathBuf,
    pub announcement: Announcement,
    /// `None` keeps the channel of the live release; a first release is on `stable`.
    pub channel: Option<String>,
    /// `None` takes it from the dist, the live release or the package around the dist.
    pub app: Option<String>,
    /// `None` takes it from the dist, or infers it from `index.html`.
    pub base: Option<String>,
    /// `None` takes git's user name or the login name.
    pub by: Option<String>,
    /// The file that describes the stores. `None` takes the description in the dist.
    pub stores: Option<PathBuf>,
    /// Publishes even when open tabs hold a store in a schema that the build cannot read.
    pub allow_store_gap: bool,
    /// Gives the build to every browser, although the live release is rolled out to a part of them.
    pub end_rollout: bool,
    pub keep: Keep,
}

impl PublishOptions {
    /// A routine release; everything else is taken from the dist and the live release.
    pub fn new(dist: impl Into<PathBuf>, site: impl Into<PathBuf>) -> Self {
        Self {
            dist: dist.into(),
            site: site.into(),
            announcement: Announcement::default(),
            channel: None,
            app: None,
            base: None,
            by: None,
            stores: None,
            allow_store_gap: false,
            end_rollout: false,
            keep: Keep::default(),
        }
    }
}

/// The result of a publish.
#[derive(Debug)]
pub struct Published {
    pub release: Release,
    /// False when the same release is live already: then it stays.
    pub is_new: bool,
    /// The build that was live before, if it was another one.
    pub previous: Option<String>,
    pub described_by: Description,
    pub placed: Placed,
    pub pruned: Vec<String>,
    pub notes: Vec<Note>,
}

/// Publishes a dist.
///
/// Errors: those of [`Build::read`], `nested`, `site-*`, `release-*`, `app-differs`, `build-id-reused`,
/// `message-too-long`, `store-gap`, `dist-changed`, and what the operating system refuses.
pub fn publish(options: &PublishOptions) -> Result<Published> {
    check_words(
        options.app.as_ref(),
        options.channel.as_ref(),
        options.announcement.message.as_ref(),
    )?;
    check_apart(&options.dist, &options.site)?;
    let found = Site::open(&options.site).and_then(|site| site.live());
    let mut build = Build::read(
        &options.dist,
        &Hints {
            app: options.app.clone(),
            fallback_app: found
                .ok()
                .flatten()
                .and_then(|release| release.app)
                .filter(|app| app != NAMELESS),
            base: options.base.clone(),
            stores: options.stores.clone(),
        },
    )?;
    let mut locked = Locked::new(Site::create(&options.site)?)?;
    // Browsers may know the number in the dist from a host that serves a plain copy of it.
    if let Some(number) = build.release {
        locked.go_above(number);
    }
    let live = locked.live().cloned();
    check_app(&build, live.as_deref(), options)?;
    let about_stores = check_stores(locked.site(), &build, live.as_deref(), options)?;

    let deployment = locked.begin()?;
    let site = deployment.site().clone();
    build.seal(number_of_documents(&deployment, &build))?;
    let mut notes = build.notes.clone();
    notes.extend(about_stores);
    let manifest_bytes = immutable_manifest(&site, &build, deployment.history())?;
    let earlier = retained_manifests(&site, deployment.history());
    let who = Who {
        by: options.by.clone().or_else(|| git::publisher(&options.dist)),
    };
    let done = deployment.go_live(
        Contents::New {
            build: &build,
            manifest_bytes: &manifest_bytes,
            earlier: &earlier,
        },
        &who,
        |draft| {
            draft.set_app(&build.manifest.app);
            draft.set_channel(options.channel.as_deref());
            draft.set_announcement(&options.announcement);
            if options.end_rollout {
                draft.end_rollout("publish was told so");
            }
            draft.set_build(&deploy::reference(build.id(), &manifest_bytes));
            Ok(())
        },
    )?;
    notes.extend(done.notes);
    let pruned = retain::prune(&site, &done.release, options.keep)?;
    let others = earlier
        .iter()
        .filter(|manifest| manifest.id != build.manifest.id && !pruned.contains(&manifest.id.0));
    notes.extend(collisions::note(
        &build.manifest,
        collisions::names(&build.manifest, others),
    ));
    drop(done.locked);
    Ok(Published {
        previous: live
            .map(|live| live.build.id.0.clone())
            .filter(|id| id != build.id()),
        release: (*done.release).clone(),
        is_new: done.is_new,
        described_by: build.described_by,
        placed: done.placed,
        pruned,
        notes,
    })
}

pub(crate) fn check_words(
    app: Option<&String>,
    channel: Option<&String>,
    message: Option<&String>,
) -> Result<()> {
    for (option, word) in [("--channel", channel), ("--app", app)] {
        if let Some(word) = word.filter(|word| !is_id(word)) {
            return Err(Error::new(
                "name-invalid",
                format!(
                    "{option} is {word:?}, but it must have 1 to 64 letters, digits, '.', '_' or '-'"
                ),
            ));
        }
    }
    let length = message.map_or(0, |message| message.chars().count());
    if length > MESSAGE_LIMIT {
        return Err(Error::new(
            "message-too-long",
            format!(
                "the message has {length} characters, and a prompt shows at most {MESSAGE_LIMIT}"
            ),
        ));
    }
    Ok(())
}

/// A site inside the dist would be published into itself, and a dist inside the site would be served raw.
fn check_apart(dist: &Path, site: &Path) -> Result<()> {
    let Ok(dist) = dist.canonicalize() else {
        return Ok(()); // Reading the dist says it better.
    };
    let site = canonical_of_the_future(site)?;
    let how = if dist == site {
        "the same folder as"
    } else if site.starts_with(&dist) {
        "inside"
    } else if dist.starts_with(&site) {
        "around"
    } else {
        return Ok(());
    };
    Err(Error::new(
        "nested",
        format!(
            "the site {} is {how} the dist {}; publish to a folder of its own, or make this one a deploy by itself with --in-place",
            site.display(),
            dist.display()
        ),
    ))
}

/// The canonical path of a file that may not exist yet, and neither may some of its folders.
fn canonical_of_the_future(path: &Path) -> Result<PathBuf> {
    let absolute = std::path::absolute(path).at("find", path)?;
    for ancestor in absolute.ancestors() {
        if let Ok(real) = ancestor.canonicalize() {
            let rest = absolute.strip_prefix(ancestor).expect("it is an ancestor");
            // A path that is itself real must not get a slash at its end.
            return Ok(if rest.as_os_str().is_empty() {
                real
            } else {
                real.join(rest)
            });
        }
    }
    Ok(absolute)
}

/// Publishing one app over another is nearly always a mistake in the folder.
fn check_app(build: &Build, live: Option<&Release>, options: &PublishOptions) -> Result<()> {
    match live.and_then(|live| live.app.as_deref()) {
        Some(app) if app != build.manifest.app && app != NAMELESS && options.app.is_none() => {
            Err(Error::new(
                "app-differs",
                format!(
                    "the site serves the app {app}, and this dist is the app {}; if that is meant, say --app {}",
                    build.manifest.app, build.manifest.app
                ),
            ))
        }
        _ => Ok(()),
    }
}

/// Refuses a build that cannot read what tabs of earlier builds hold. Returns notes about other changes of stores.
///
/// A build that was live before is a way back, which is never refused. A schema that no live build reads any more was
/// given up by an earlier publish, which reported it then.
fn check_stores(
    site: &Site,
    build: &Build,
    live: Option<&Release>,
    options: &PublishOptions,
) -> Result<Vec<Note>> {
    let history = site.history(live)?;
    let manifest_of = |build: &BuildRef| site.manifest_of(build).ok();
    let current = live.and_then(|live| manifest_of(&live.build));
    if history.iter().any(|entry| entry.build == build.id()) {
        let notes = current.map(|current| stores::going_back(&build.manifest, &current));
        return Ok(notes.unwrap_or_default());
    }
    let rollout = live.and_then(|live| live.rollout.as_ref());
    let otherwise = rollout.and_then(|rollout| manifest_of(rollout.otherwise.as_ref()?));
    let retained = retained_manifests(site, &history);
    let running: Vec<_> = current.iter().chain(&otherwise).collect();
    let earlier = running.iter().copied().chain(&retained);
    let (settled, open): (Vec<_>, Vec<_>) = stores::gaps(&build.manifest, earlier)
        .into_iter()
        .partition(|gap| !running.is_empty() && running.iter().all(|live| gap.is_behind(live)));
    if !open.is_empty() && !options.allow_store_gap {
        return Err(stores::refusal(&open));
    }
    let mut notes: Vec<_> = open.iter().chain(&settled).map(stores::warning).collect();
    notes.extend(current.and_then(|current| stores::dropped(&build.manifest, &current)));
    Ok(notes)
}

/// The number in the documents of this build: that of the release which first made it live, since a build never
/// changes. Documents that a killed publish has placed keep theirs: until they were replaced, they would not match the
/// manifest.
fn number_of_documents(deployment: &Deployment, build: &Build) -> Option<u64> {
    let is_known = deployment
        .history()
        .iter()
        .any(|entry| entry.build == build.id());
    let index = deployment.site().files(build.id()).join("index.html");
    let placed = std::fs::read(index)
        .ok()
        .map(|page| HtmlDocument::parse(&page).sequence());
    let live = deployment.live().map(|live| live.sequence);
    match placed {
        Some(number) if is_known || number > live => number,
        _ => Some(deployment.sequence()),
    }
}

/// The manifest that will be live: if this id was published before, the manifest of then, which must list the same
/// files.
fn immutable_manifest(site: &Site, build: &Build, history: &[Entry]) -> Result<Vec<u8>> {
    let path = site.manifest_file(build.id());
    let Ok(published) = site.manifest(build.id()) else {
        return Ok(build.manifest_bytes.clone());
    };
    if history.iter().all(|entry| entry.build != build.id()) {
        // It is left from a killed publish, so no page has seen it.
        return Ok(build.manifest_bytes.clone());
    }
    let other = if !deploy::files_of(&published).eq(deploy::files_of(&build.manifest)) {
        "files"
    } else if !stores::equal(&published.stores, &build.manifest.stores) {
        "stores"
    } else {
        return std::fs::read(&path).at("read", &path);
    };
    Err(Error::new(
        "build-id-reused",
        format!(
            "build {} was published before with other {other}, and a build never changes; give this one an id of its own",
            build.id()
        ),
    ))
}

/// The manifests of the builds that the site still has, most recent first.
fn retained_manifests(site: &Site, history: &[Entry]) -> Vec<Manifest> {
    builds_by_recency(history)
        .into_iter()
        .filter(|entry| site.files(&entry.build).is_dir())
        .filter_map(|entry| site.manifest(&entry.build).ok())
        .collect()
}
