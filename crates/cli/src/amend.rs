//! The one way to change a release: what the change does not speak of stays, and what it ends is named.
//!
//! A [`Draft`] begins as the live release. A command changes it; the rules for what an operator may have set by hand are
//! here, so that every command keeps them:
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

use crate::{
    build::Note,
    deploy::{Contents, Locked, Who},
    error::Result,
    release_document::{Fields, ReleaseDocument},
    site::Site,
    time::{parse_rfc3339, rfc3339},
};

/// A release in the making.
#[derive(Debug)]
pub struct Draft {
    before: Option<ReleaseDocument>,
    fields: Fields,
    /// The build that it names, the orders and the rollout, as far as they are set by now.
    build: Option<BuildId>,
    rollout: Option<Rollout>,
    retire: Vec<Retire>,
    sequence: u64,
    /// Seconds since the epoch.
    now: u64,
    notes: Vec<Note>,
}

/// What [`amend`] did.
#[derive(Debug)]
pub struct Amended {
    pub release: ReleaseDocument,
    /// False: the change changed nothing, and the release that was live stays.
    pub is_new: bool,
    pub notes: Vec<Note>,
}

/// Changes the live release of a site, whose build stays.
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
    /// The release after `before`; with a first release only format, number and time are set.
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

    pub fn set_channel(&mut self, channel: &str) {
        self.fields.set("channel", &channel);
    }

    pub fn set_urgency(&mut self, urgency: Urgency) {
        self.fields.set("urgency", &urgency);
    }

    pub fn set_message(&mut self, message: Option<&str>) {
        self.fields.set_or_remove("message", message.as_ref());
    }

    /// Another build, or the same with another manifest. What was ordered for the build that was live goes on as the
    /// table above says.
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

    /// `None`: the release is for everybody.
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

    /// Gives the release to everybody, and says that it was not so before.
    pub fn end_rollout(&mut self, why: &str) {
        if let Some(rollout) = &self.rollout {
            let text = format!(
                "the rollout to {} % of the browsers ends, because {why}",
                rollout.percent
            );
            self.note("rollout-ended", text, &["rollout"]);
            self.set_rollout(None);
        }
    }

    pub fn set_floor(&mut self, floor: Option<u64>) {
        self.fields.set_or_remove("floor", floor.as_ref());
    }

    /// Orders tabs to leave a build. An order about the same build is replaced.
    pub fn retire(&mut self, order: Retire) {
        let place = self
            .retire
            .iter()
            .position(|known| known.build == order.build);
        let mut list = self.orders();
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

    /// Takes back every order to leave `build`, and says so.
    pub fn allow(&mut self, build: &BuildId) {
        if self.retire.iter().all(|order| order.build != *build) {
            return;
        }
        let list: Vec<_> = self
            .orders()
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
    }

    /// The release, checked, and what is to be said about it.
    ///
    /// Errors: `release-invalid`, when pages would refuse it.
    pub fn finish(mut self) -> Result<(ReleaseDocument, Vec<Note>)> {
        self.note_unknown_fields();
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

    /// The orders as they are written.
    fn orders(&self) -> Vec<Fields> {
        let written = self.fields.value("retire").map_or("[]", |list| list.get());
        serde_json::from_str(written).unwrap_or_default()
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
        let mut unknown = Vec::new();
        let mut look = |prefix: &str, fields: &Fields, known: &[&str]| {
            unknown.extend(
                fields
                    .names()
                    .filter(|name| !known.contains(name))
                    .map(|name| format!("{prefix}{name}")),
            );
        };
        const BUILD: [&str; 3] = ["id", "manifest", "integrity"];
        let rollout = self.fields.inner("rollout");
        look(
            "",
            &self.fields,
            &[
                "format", "app", "channel", "sequence", "issued", "expires", "build", "urgency",
                "message", "rollout", "floor", "retire",
            ],
        );
        look("build.", &self.fields.inner("build"), &BUILD);
        look("rollout.", &rollout, &["percent", "salt", "otherwise"]);
        look("rollout.otherwise.", &rollout.inner("otherwise"), &BUILD);
        for order in self.orders() {
            look("retire.", &order, &["build", "how", "by"]);
        }
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

    fn note(&mut self, code: &'static str, text: String, fields: &[&str]) {
        self.notes.push(Note {
            code,
            text,
            files: fields.iter().map(|field| (*field).to_owned()).collect(),
        });
    }
}
