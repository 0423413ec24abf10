//! The one way to change a release: what a change does not mention stays, and what it ends is named.
//!
//! A [`Draft`] begins as the live release, and a command changes it. The rules for fields that an operator may have set
//! by hand are part of the draft, so that every command follows them:
//!
//! | field | when the build changes | else |
//! |---|---|---|
//! | `rollout` | goes on with the new build for the same visitors; ends when the build is the one that the others run | stays |
//! | `expires` | stays while it is to come; ends when it has passed, since the new release would be expired at once | the same |
//! | `floor` | stays | stays |
//! | `retire` | stays, without orders to leave the build that becomes live | stays |
//! | fields that this version does not know, in whatever object | stay | stay |

use std::path::Path;

use changeover::{
    engine::{
        format::FORMAT,
        release::{BuildRef, Retire, Rollout, Urgency},
    },
    ids::BuildId,
};

use serde_json::value::RawValue;

use crate::{
    build::Note,
    deploy::{Contents, Locked, Who},
    error::Result,
    release_document::{Fields, ReleaseDocument},
    site::Site,
    time::{parse_rfc3339, rfc3339},
};

/// The fields that this version knows.
const RELEASE: &[&str] = &[
    "format", "app", "channel", "sequence", "issued", "expires", "build", "urgency", "message",
    "rollout", "floor", "retire",
];
const BUILD: &[&str] = &["id", "manifest", "integrity"];
const ROLLOUT: &[&str] = &["percent", "salt", "otherwise"];
const RETIRE: &[&str] = &["build", "how", "by"];

/// Longer values are not repeated in a note.
const SHORT: usize = 80;

/// The channel of a first release.
const STABLE: &str = "stable";

/// The next release while a command works on it.
#[derive(Debug)]
pub struct Draft {
    before: Option<ReleaseDocument>,
    fields: Fields,
    /// The build, the rollout and the orders as the draft has them now.
    build: Option<BuildId>,
    rollout: Option<Rollout>,
    retire: Vec<Retire>,
    sequence: u64,
    /// Seconds since the epoch.
    now: u64,
    notes: Vec<Note>,
    /// Fields and objects that a note of their own reports as ended.
    explained: Vec<String>,
}

/// How much it matters that open tabs move, and what their users read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Announcement {
    pub urgency: Urgency,
    /// Shown in the prompt; at most [`MESSAGE_LIMIT`](changeover::engine::release::MESSAGE_LIMIT) characters.
    pub message: Option<String>,
}

/// The result of [`amend`].
#[derive(Debug)]
pub struct Amended {
    pub release: ReleaseDocument,
    /// False when nothing changed: then the live release stays.
    pub is_new: bool,
    pub notes: Vec<Note>,
}

/// Changes the live release of a site without changing its build.
///
/// Errors: `site-missing`, `nothing-published`, `release-*`, those of `change`, and what the operating system refuses.
pub fn amend(
    root: &Path,
    who: &Who,
    change: impl FnOnce(&mut Draft) -> Result<()>,
) -> Result<Amended> {
    let locked = Locked::published(Site::open(root)?)?;
    let done = locked.begin()?.go_live(Contents::Same, who, change)?;
    Ok(Amended {
        release: done.release,
        is_new: done.is_new,
        notes: done.notes,
    })
}

impl Draft {
    /// The release after `before`. A first release has only its format, number and time.
    pub fn new(before: Option<&ReleaseDocument>, sequence: u64, now: u64) -> Self {
        let mut draft = Self {
            fields: before.map_or_else(Fields::default, |live| live.fields().clone()),
            build: before.map(|live| live.build.id.clone()),
            rollout: before.and_then(|live| live.rollout.clone()),
            retire: before.map_or_else(Vec::new, |live| live.retire.clone()),
            before: before.cloned(),
            sequence,
            now,
            notes: Vec::new(),
            explained: Vec::new(),
        };
        draft.fields.set("format", &FORMAT);
        draft.fields.set("sequence", &sequence);
        draft.fields.set("issued", &rfc3339(now));
        draft.keep_or_end_expiry();
        draft
    }

    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    pub fn set_app(&mut self, app: &str) {
        self.fields.set("app", &app);
    }

    /// `None` keeps the channel of the release before; a first release is on `stable`.
    pub fn set_channel(&mut self, channel: Option<&str>) {
        let before = self.before.as_ref().map(|live| live.channel.as_str());
        let channel = channel.or(before).unwrap_or(STABLE).to_owned();
        self.fields.set("channel", &channel);
    }

    pub fn set_announcement(&mut self, announcement: &Announcement) {
        self.fields.set("urgency", &announcement.urgency);
        self.fields
            .set_or_remove("message", announcement.message.as_ref());
    }

    /// Names another build, or the same one with another manifest. The module doc says what becomes of its rollout and
    /// orders.
    pub fn set_build(&mut self, build: &BuildRef) {
        let mut fields = self.fields.inner("build");
        fields.set("id", &build.id);
        fields.set_or_remove("manifest", build.manifest.as_ref());
        fields.set_or_remove("integrity", build.integrity.as_ref());
        self.fields.set("build", &fields);
        let is_another = self.build.as_ref() != Some(&build.id);
        self.build = Some(build.id.clone());
        self.allow(&build.id);
        let others = self
            .rollout
            .as_ref()
            .and_then(|rollout| rollout.otherwise.as_ref());
        if others.is_some_and(|others| others.id == build.id) {
            self.end_rollout(&format!(
                "build {} is what the others run already",
                build.id.0
            ));
        } else if is_another && self.rollout.is_some() {
            self.note_rollout();
        }
    }

    /// `None` gives the release to every browser.
    pub fn set_rollout(&mut self, rollout: Option<Rollout>) {
        match &rollout {
            Some(rollout) => {
                let mut fields = self.fields.inner("rollout");
                fields.set("percent", &rollout.percent);
                fields.set("salt", &rollout.salt);
                match &rollout.otherwise {
                    Some(build) => {
                        let mut otherwise = fields.inner("otherwise");
                        otherwise.set("id", &build.id);
                        otherwise.set_or_remove("manifest", build.manifest.as_ref());
                        otherwise.set_or_remove("integrity", build.integrity.as_ref());
                        fields.set("otherwise", &otherwise);
                    }
                    None => fields.remove("otherwise"),
                }
                self.fields.set("rollout", &fields);
            }
            None => self.fields.remove("rollout"),
        }
        self.rollout = rollout;
    }

    /// Gives the release to every browser, with a note that it was rolled out to a part of them.
    pub fn end_rollout(&mut self, why: &str) {
        if let Some(rollout) = &self.rollout {
            let text = format!(
                "the rollout to {} % of the browsers ends, because {why}",
                rollout.percent
            );
            self.note("rollout-ended", text, &["rollout"]);
            self.explained
                .extend(["rollout", "rollout.otherwise"].map(str::to_owned));
            self.set_rollout(None);
        }
    }

    pub fn set_floor(&mut self, floor: Option<u64>) {
        self.fields.set_or_remove("floor", floor.as_ref());
    }

    /// Orders tabs to leave a build. Replaces an earlier order about the same build.
    pub fn retire(&mut self, order: Retire) {
        let place = self
            .retire
            .iter()
            .position(|known| known.build == order.build);
        let mut list = orders(&self.fields);
        let mut fields = place
            .and_then(|place| list.get(place).cloned())
            .unwrap_or_default();
        fields.set("build", &order.build);
        fields.set("how", &order.how);
        fields.set_or_remove("by", order.by.as_ref());
        match place {
            Some(place) => {
                list[place] = fields;
                self.retire[place] = order;
            }
            None => {
                list.push(fields);
                self.retire.push(order);
            }
        }
        self.fields.set("retire", &list);
    }

    /// Removes the orders to leave `build`, with a note.
    pub fn allow(&mut self, build: &BuildId) {
        if self.retire.iter().all(|order| order.build != *build) {
            return;
        }
        let list: Vec<_> = orders(&self.fields)
            .into_iter()
            .zip(&self.retire)
            .filter(|(_, order)| order.build != *build)
            .map(|(fields, _)| fields)
            .collect();
        self.retire.retain(|order| order.build != *build);
        if list.is_empty() {
            self.fields.remove("retire");
        } else {
            self.fields.set("retire", &list);
        }
        let text = format!(
            "the order to leave build {} ends, because that build becomes live",
            build.0
        );
        self.note("retire-ended", text, &["retire"]);
        self.explained.push(format!("retire.{}", build.0));
    }

    /// The checked release and the notes about it.
    ///
    /// Errors: `release-invalid`, when pages would refuse it.
    pub fn finish(mut self) -> Result<(ReleaseDocument, Vec<Note>)> {
        self.note_unknown_fields();
        self.note_dropped_fields();
        let text = serde_json::to_string_pretty(&self.fields).expect("raw values are valid JSON");
        let release = ReleaseDocument::parse(&text, "this release")?;
        if let Some(floor) = release.floor.filter(|floor| *floor > release.sequence) {
            let text = format!(
                "the floor {floor} is above the sequence {} of this very release, so pages are told to leave every \
                 release there is; correct the field floor in release.json",
                release.sequence
            );
            self.note("floor-above", text, &["floor"]);
        }
        Ok((release, self.notes))
    }

    fn keep_or_end_expiry(&mut self) {
        let expires = self.before.as_ref().and_then(|live| live.expires.clone());
        let Some(expires) = expires else { return };
        if parse_rfc3339(&expires).is_some_and(|at| at <= self.now) {
            self.fields.remove("expires");
            let text = format!(
                "expires was {expires}, which has passed, and is dropped: a release that has expired moves no page"
            );
            self.note("expires-dropped", text, &["expires"]);
            self.explained.push("expires".into());
        } else {
            let text = format!("the release expires at {expires}, as the one before it");
            self.note("expires-kept", text, &["expires"]);
        }
    }

    fn note_rollout(&mut self) {
        let (Some(rollout), Some(build)) = (&self.rollout, &self.build) else {
            return;
        };
        let others = match &rollout.otherwise {
            Some(others) => format!("the others run build {}", others.id.0),
            None => "the others stay where they are".into(),
        };
        let text = format!(
            "the rollout goes on: build {} is for the same {} % of the browsers as the release before it, and {others}; \
             remove the field rollout from release.json, or publish with --end-rollout, to give it to all",
            build.0, rollout.percent
        );
        self.note("rollout-kept", text, &["rollout"]);
    }

    fn note_unknown_fields(&mut self) {
        let unknown: Vec<_> = objects(&self.fields)
            .iter()
            .flat_map(Object::unknown)
            .collect();
        if !unknown.is_empty() {
            let text = format!(
                "fields that this version does not know are kept as they are: {}",
                unknown.join(", ")
            );
            self.notes.push(Note {
                code: "fields-kept",
                text,
                files: unknown,
            });
        }
    }

    /// Names every field of the release before that this one does not have, unless another note explains it.
    fn note_dropped_fields(&mut self) {
        let Some(before) = &self.before else { return };
        let after = objects(&self.fields);
        let (mut files, mut shown) = (Vec::new(), Vec::new());
        for object in objects(before.fields()) {
            if self.explained.contains(&object.place) {
                continue;
            }
            let now = after.iter().find(|other| other.place == object.place);
            for name in object.leaves() {
                let path = object.path(name);
                if now.is_some_and(|now| now.fields.value(name).is_some())
                    || self.explained.contains(&path)
                {
                    continue;
                }
                let value = object.fields.value(name).map_or("", RawValue::get);
                shown.push(match value.len() <= SHORT {
                    true => format!("{path} {value}"),
                    false => path.clone(),
                });
                files.push(path);
            }
        }
        if !files.is_empty() {
            let text = format!(
                "not carried over from the release before: {}",
                shown.join(", ")
            );
            self.notes.push(Note {
                code: "fields-dropped",
                text,
                files,
            });
        }
    }

    fn note(&mut self, code: &'static str, text: String, fields: &[&str]) {
        self.notes.push(Note {
            code,
            text,
            files: fields.iter().map(|field| (*field).to_owned()).collect(),
        });
    }
}

/// One of the objects that a release is made of.
struct Object {
    /// Identifies the object: `rollout.otherwise`, `retire.<build>`, empty for the release itself.
    place: String,
    fields: Fields,
    known: &'static [&'static str],
}

fn objects(release: &Fields) -> Vec<Object> {
    let rollout = release.inner("rollout");
    let object = |place: &str, fields, known| Object {
        place: place.to_owned(),
        fields,
        known,
    };
    let mut objects = vec![
        object("", release.clone(), RELEASE),
        object("build", release.inner("build"), BUILD),
        object("rollout.otherwise", rollout.inner("otherwise"), BUILD),
        object("rollout", rollout, ROLLOUT),
    ];
    for order in orders(release) {
        let build = order.value("build").map_or("", RawValue::get);
        let place = format!("retire.{}", build.trim_matches('"'));
        objects.push(object(&place, order, RETIRE));
    }
    objects
}

/// The orders to leave a build, as they are written.
fn orders(release: &Fields) -> Vec<Fields> {
    let written = release.value("retire").map_or("[]", RawValue::get);
    serde_json::from_str(written).unwrap_or_default()
}

impl Object {
    fn path(&self, name: &str) -> String {
        match self.place.as_str() {
            "" => name.to_owned(),
            place => format!("{place}.{name}"),
        }
    }

    fn unknown(&self) -> Vec<String> {
        let unknown = self
            .fields
            .names()
            .filter(|name| !self.known.contains(name));
        unknown.map(|name| self.path(name)).collect()
    }

    /// The names of the fields that have a value and are not [`objects`] themselves.
    fn leaves(&self) -> impl Iterator<Item = &str> {
        let names = self.fields.names();
        names.filter(|name| {
            self.fields.value(name).is_some()
                && !(self.known.contains(name)
                    && matches!(*name, "rollout" | "otherwise" | "retire")
                    || self.place.is_empty() && *name == "build")
        })
    }
}
