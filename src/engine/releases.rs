//! Which releases count: they are ordered by sequence, and a hint, a stale replica or a reused number moves nothing.
//!
//! A release that does not fit what is known (its sequence is lower, or from no time that has come yet, or it belongs to
//! another app) is not followed at once. It counts when the server steadily gave such answers for a while, and none that
//! fits: a site that was restored or numbered anew, or one whose number was wrong before. So nothing is wrong for good.

use alloc::{string::String, vec::Vec};

use super::{
    format,
    release::Release,
    sequence::{is_absurd, is_plausible},
};
use crate::{
    ids::BuildId,
    time::{Millis, Timestamp},
};

/// How many builds a tab remembers; more than it meets in a life of weeks.
const MEMORY: usize = 64;

/// For how long, and in how many checks, a server must give nothing but answers that do not fit until they count: longer than a
/// cache serves an old copy that was told to ask each time.
const STEADY: Steadily = Steadily {
    span: 30 * 60 * 1_000,
    checks: 5,
};

/// The same where no cache can be the reason: the release was issued later than the one that it contradicts, or its sequence
/// is wrong, which no old copy has.
const STEADY_NEWS: Steadily = Steadily {
    span: 60 * 1_000,
    checks: 3,
};

/// The same where only the document of the page says that there is a newer release: a publish or a copy that was broken off
/// before its pointer leaves such a document, and a reload would bring it again.
const STEADY_BESIDE_DOCUMENT: Steadily = Steadily {
    span: 24 * 60 * 60 * 1_000,
    checks: 5,
};

struct Steadily {
    span: Millis,
    checks: u32,
}

/// What this tab has been told so far.
#[derive(Clone, Debug, Default)]
pub struct Releases {
    remembered: Option<Remembered>,
    accepted: Option<Accepted>,
    /// The newest sequence under which each build was seen.
    seen: Vec<(BuildId, u64)>,
    returns: bool,
    streak: Option<Streak>,
    /// Answers that are good for this page, and lower than what is remembered.
    below: Option<Streak>,
    /// A sequence of no time that has come yet was followed, and was wrong.
    misled: bool,
}

/// The highest sequence that a tab of this origin accepted, or that of the document, and the app whose release it was, if that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    pub sequence: u64,
    pub app: Option<String>,
    /// No tab has accepted it: the document says that it is for this release.
    pub is_of_document: bool,
}

#[derive(Clone, Debug)]
struct Accepted {
    release: Release,
    plausible: bool,
}

/// Checks in a row whose answers do not fit, all for one reason.
#[derive(Clone, Copy, Debug)]
struct Streak {
    odd: Odd,
    since: Timestamp,
    checks: u32,
}

/// Why a release does not fit what is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Odd {
    /// A lower sequence: a replica that lags behind, an old copy, or a site that was set back.
    Older { highest: u64 },
    /// The number of the accepted release, but another build.
    Reused { sequence: u64 },
    /// A sequence that belongs to no time that has come yet.
    Implausible { sequence: u64 },
    /// The release of another app, as two sites that take turns on one address give them.
    OtherApp,
}

/// What became of a parsed release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is newer than any before.
    New,
    /// The origin knew it already, this page did not.
    Known,
    /// Nothing changed.
    Same,
    /// It does not fit, and moves nothing.
    Ignored(Odd),
    /// It did not fit either, and counts now, since the server stays with it.
    Corrected(Odd),
}

/// What is known about the moment of an answer.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances {
    pub now: Timestamp,
    /// The server's clock, if it told.
    pub date: Option<Timestamp>,
    /// The release wants the build that the page runs, so that following it moves nothing.
    pub agrees: bool,
}

impl Releases {
    pub fn new(remembered: Option<Remembered>) -> Self {
        Self {
            remembered,
            ..Self::default()
        }
    }

    pub fn on_release(&mut self, release: Release, about: Circumstances) -> Verdict {
        let clock = clock(&release, about);
        let plausible = is_plausible(release.sequence, clock);
        let highest = self.remembered.as_ref().map(|it| it.sequence);
        let odd = match &self.accepted {
            Some(accepted) => accepted.judge(&release, plausible),
            None => match highest {
                Some(highest) if release.sequence < highest && !about.agrees => {
                    Fit::Odd(Odd::Older { highest })
                }
                _ if highest.is_some_and(|highest| release.sequence <= highest) => {
                    Fit::Good(Verdict::Known)
                }
                _ => Fit::Good(Verdict::New),
            },
        };
        let verdict = match odd {
            Fit::Good(verdict) => {
                self.streak = None;
                verdict
            }
            // The number before was wrong: the first one that is not sets it right.
            Fit::Odd(odd @ Odd::Older { .. }) if plausible && self.is_misled() => {
                self.streak = None;
                self.misled = true;
                Verdict::Corrected(odd)
            }
            Fit::Odd(odd) if self.is_steady(odd, &release, about.now) => Verdict::Corrected(odd),
            Fit::Odd(odd) => return Verdict::Ignored(odd),
        };
        self.note_below(&release, about.now);
        if matches!(verdict, Verdict::Corrected(_)) {
            self.remembered = None;
        }
        if verdict != Verdict::Same {
            self.accept(release, plausible);
        }
        verdict
    }

    /// Drops what is remembered when it cannot be true of this release: it is of another app, or of no time that has come.
    /// Returns the sequence when that is worth a word.
    pub fn forget_wrong(&mut self, release: &Release, about: Circumstances) -> Option<u64> {
        let clock = clock(release, about);
        let remembered = self.remembered.as_ref()?;
        let wrong =
            !is_plausible(remembered.sequence, clock) && remembered.sequence > release.sequence;
        let foreign = differ(remembered.app.as_ref(), release.app.as_ref());
        if !wrong && !foreign {
            return None;
        }
        let sequence = remembered.sequence;
        self.remembered = None;
        wrong.then_some(sequence)
    }

    /// Whether no release has sequences like that of the accepted one, and it has just come.
    pub fn is_absurd(&self, about: Circumstances) -> bool {
        self.accepted.as_ref().is_some_and(|accepted| {
            is_absurd(accepted.release.sequence, clock(&accepted.release, about))
        })
    }

    /// What the tabs of the origin are to remember from now on, if it is news.
    pub fn to_remember(&mut self) -> Option<Remembered> {
        let accepted = self
            .accepted
            .as_ref()
            .filter(|accepted| accepted.plausible)?;
        let next = Remembered {
            sequence: accepted.release.sequence,
            app: accepted.release.app.clone(),
            is_of_document: false,
        };
        let is_lower = |it: &Remembered| it.sequence >= next.sequence;
        if self.remembered.as_ref().is_some_and(is_lower) {
            return None;
        }
        self.remembered = Some(next.clone());
        Some(next)
    }

    fn is_misled(&self) -> bool {
        self.accepted
            .as_ref()
            .is_some_and(|accepted| !accepted.plausible)
    }

    /// Counts an answer that does not fit. Returns whether it counts from now on.
    fn is_steady(&mut self, odd: Odd, release: &Release, now: Timestamp) -> bool {
        let before = self.streak.filter(|streak| streak.odd.is_like(odd));
        let streak = Streak::after(before, odd, now);
        let needed = match odd {
            Odd::Implausible { .. } if self.misled => STEADY,
            Odd::Implausible { .. } => STEADY_NEWS,
            Odd::Older { .. } | Odd::Reused { .. } | Odd::OtherApp => match &self.accepted {
                Some(accepted) if is_issued_later(release, &accepted.release) => STEADY_NEWS,
                None if self.remembered.as_ref().is_some_and(|it| it.is_of_document) => {
                    STEADY_BESIDE_DOCUMENT
                }
                _ => STEADY,
            },
        };
        let is_steady = streak.is(&needed, now);
        self.streak = Some(streak).filter(|_| !is_steady);
        is_steady
    }

    /// Counts an answer that is good for this page and lower than what the origin remembers, which is wrong then.
    fn note_below(&mut self, release: &Release, now: Timestamp) {
        let remembered = self.remembered.as_ref().map(|it| it.sequence);
        let Some(highest) = remembered.filter(|highest| release.sequence < *highest) else {
            self.below = None;
            return;
        };
        let below = Streak::after(self.below, Odd::Older { highest }, now);
        self.below = Some(below);
        if below.is(&STEADY, now) {
            self.remembered = None;
            self.below = None;
        }
    }

    fn accept(&mut self, release: Release, plausible: bool) {
        let full = self.seen.len() >= MEMORY;
        let known = self
            .seen
            .iter_mut()
            .find(|(build, _)| *build == release.build.id);
        if self
            .accepted
            .as_ref()
            .is_none_or(|accepted| accepted.release.build.id != release.build.id)
        {
            self.returns = known.is_some();
        }
        match known {
            Some((_, sequence)) => *sequence = release.sequence,
            None if !full => self.seen.push((release.build.id.clone(), release.sequence)),
            None => {}
        }
        self.accepted = Some(Accepted { release, plausible });
    }

    pub fn accepted(&self) -> Option<&Release> {
        self.accepted.as_ref().map(|accepted| &accepted.release)
    }

    /// Whether `sequence` says nothing that this tab does not know.
    pub fn knows(&self, sequence: u64) -> bool {
        self.accepted.as_ref().is_some_and(|accepted| {
            let known = accepted.release.sequence;
            sequence == known || sequence < known && accepted.plausible
        })
    }

    /// The sequence that the other tabs are told.
    pub fn highest(&self) -> Option<u64> {
        let accepted = self.accepted.as_ref();
        accepted
            .map(|accepted| accepted.release.sequence)
            .or_else(|| {
                let remembered = self.remembered.as_ref();
                remembered.map(|remembered| remembered.sequence)
            })
    }

    /// Whether the accepted release goes back to a build that this tab met before another one: a rollback.
    pub fn goes_back(&self) -> bool {
        self.returns
    }

    /// The newest release under which this tab saw `build`.
    pub fn first_sequence(&self, build: &BuildId) -> Option<u64> {
        self.seen
            .iter()
            .find(|(seen, _)| seen == build)
            .map(|(_, sequence)| *sequence)
    }
}

impl Streak {
    fn after(before: Option<Self>, odd: Odd, now: Timestamp) -> Self {
        Self {
            odd,
            since: before.map_or(now, |before| before.since),
            checks: before.map_or(0, |before| before.checks).saturating_add(1),
        }
    }

    fn is(&self, needed: &Steadily, now: Timestamp) -> bool {
        self.checks >= needed.checks && now.0.saturating_sub(self.since.0) >= needed.span
    }
}

enum Fit {
    Good(Verdict),
    Odd(Odd),
}

impl Accepted {
    fn judge(&self, release: &Release, plausible: bool) -> Fit {
        let sequence = self.release.sequence;
        if differ(self.release.app.as_ref(), release.app.as_ref()) {
            return Fit::Odd(Odd::OtherApp);
        }
        match release.sequence {
            next if next < sequence => Fit::Odd(Odd::Older { highest: sequence }),
            next if next > sequence && !plausible && self.plausible => {
                Fit::Odd(Odd::Implausible { sequence: next })
            }
            next if next > sequence => Fit::Good(Verdict::New),
            _ if self.release.build.id == release.build.id => Fit::Good(Verdict::Same),
            _ => Fit::Odd(Odd::Reused { sequence }),
        }
    }
}

impl Odd {
    /// Whether the two have the same reason.
    fn is_like(self, other: Self) -> bool {
        core::mem::discriminant(&self) == core::mem::discriminant(&other)
    }
}

/// The latest of the clocks at hand. A clock that is behind makes no release wrong; the release's own word counts least.
fn clock(release: &Release, about: Circumstances) -> Timestamp {
    let told = about.date.or_else(|| issued(release));
    told.map_or(about.now, |told| told.max(about.now))
}

fn is_issued_later(release: &Release, than: &Release) -> bool {
    let (Some(one), Some(other)) = (issued(release), issued(than)) else {
        return false;
    };
    one > other
}

fn issued(release: &Release) -> Option<Timestamp> {
    release.issued.as_deref().and_then(format::time)
}

/// Whether two releases are of two apps; one that names none may be of either.
fn differ(app: Option<&String>, other: Option<&String>) -> bool {
    app.zip(other).is_some_and(|(app, other)| app != other)
}
