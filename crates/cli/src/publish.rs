//! `changeover publish`: a dist becomes the live release of a site.
//!
//! Killing it at any point leaves the old release live or the new one; running it again completes what it began.

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
use crate::html::Page;
use crate::retain::{self, Keep};
use crate::site::Site;
use crate::stores;

/// What to publish where, and what to say about it.
#[derive(Clone, Debug)]
pub struct PublishOptions {
    pub dist: PathBuf,
    pub site: PathBuf,
    pub announcement: Announcement,
    /// `None`: that of the live release, else `stable`.
    pub channel: Option<String>,
    /// `None`: what the dist, the live release or the package around the dist say.
    pub app: Option<String>,
    /// `None`: what the dist says or its `index.html` implies.
    pub base: Option<String>,
    /// `None`: git's user name or the login name.
    pub by: Option<String>,
    /// The file that says what the stores are. `None`: what the dist says.
    pub stores: Option<PathBuf>,
    /// Goes ahead when open tabs hold a store in a schema that the build cannot read.
    pub allow_store_gap: bool,
    /// Gives the build to everybody although the live release is for a part of the browsers.
    pub end_rollout: bool,
    pub keep: Keep,
}

impl PublishOptions {
    /// A routine release on the channel `stable`, everything else as found.
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

/// What a publish did.
#[derive(Debug)]
pub struct Published {
    pub release: Release,
    /// False: exactly this release was live before, and stays.
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
    // Hosts that got a plain copy of the dist told its number to browsers that may come here next.
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

/// The canonical path of something of which only some ancestors may exist.
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

/// Publishing one app over another is nearly always the wrong folder.
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

/// Refuses a build that cannot read what tabs of earlier builds hold; gives back what else is to be said.
///
/// A build that was live before is going back, which is never refused. A schema that every live build is past and does
/// not read either was given up earlier: saying so once was enough.
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

/// The number that the documents of this build carry: that of the release which first made it live, since a build never
/// changes. Those that a killed publish has placed keep theirs: with another one they would be other documents than the
/// manifest says, from the moment that is placed until they are.
fn number_of_documents(deployment: &Deployment, build: &Build) -> Option<u64> {
    let is_known = deployment
        .history()
        .iter()
        .any(|entry| entry.build == build.id());
    let index = deployment.site().files(build.id()).join("index.html");
    let placed = std::fs::read(index)
        .ok()
        .map(|page| Page::parse(&page).sequence());
    let live = deployment.live().map(|live| live.sequence);
    match placed {
        Some(number) if is_known || number > live => number,
        _ => Some(deployment.sequence()),
    }
}

/// The manifest that will be live: the one that is already published under this id, if it lists the same files.
fn immutable_manifest(site: &Site, build: &Build, history: &[Entry]) -> Result<Vec<u8>> {
    let path = site.manifest_file(build.id());
    let Ok(published) = site.manifest(build.id()) else {
        return Ok(build.manifest_bytes.clone());
    };
    if history.iter().all(|entry| entry.build != build.id()) {
        // A killed publish left it: no page knows it.
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
