//! What must hold at each step, and at the end.

use std::collections::{BTreeMap, VecDeque};

use changeover::{
    engine::{
        io::{Asker, DecisionKind, Effect, Input, Reason},
        status::Status,
    },
    ids::BuildId,
};

use super::{Happening, MINUTE, SECOND, server::Server, tab::Tab};

/// The number of past events that are reported with a broken promise.
const MEMORY: usize = 60;

/// Checks the promises while the world runs.
#[derive(Default)]
pub struct Promises {
    pub broken: Option<String>,
    past: VecDeque<String>,
    /// The release that each tab's page has accepted.
    accepted: BTreeMap<usize, (u64, Option<u64>)>,
    highest: BTreeMap<usize, Option<u64>>,
    /// Whether the user asked for the next reload of a tab.
    clicked: BTreeMap<usize, bool>,
    /// Reloads without the user, by tab, target and release.
    automatic: BTreeMap<(usize, BuildId, Option<u64>), u32>,
    holds: BTreeMap<usize, BTreeMap<u32, u64>>,
    /// Whether each page was told that the network is away.
    offline: BTreeMap<usize, bool>,
    wakes: BTreeMap<usize, (u64, u32)>,
    checks: VecDeque<u64>,
}

impl Promises {
    pub fn tell(&mut self, at: u64, happening: &Happening) {
        if self.past.len() >= MEMORY {
            self.past.pop_front();
        }
        let mut text = format!("{happening:?}");
        text.truncate(
            text.char_indices()
                .nth(160)
                .map_or(text.len(), |(end, _)| end),
        );
        self.past.push_back(format!("{:>9} ms  {text}", at));
    }

    pub fn story(&mut self) -> Vec<String> {
        self.past.drain(..).collect()
    }

    fn say(&mut self, text: String) {
        self.past.push_back(format!("              {text}"));
    }

    fn hold(&mut self, holds: bool, promise: impl FnOnce() -> String) {
        if !holds && self.broken.is_none() {
            self.broken = Some(promise());
        }
    }

    pub fn on_load(&mut self, tab: usize, highest: Option<u64>) {
        self.highest.insert(tab, highest);
        self.clicked.remove(&tab);
        self.holds.remove(&tab);
        self.wakes.remove(&tab);
    }

    /// The tab is gone with all that it remembered. The next one in its place is another tab.
    pub fn on_close(&mut self, tab: usize) {
        self.automatic.retain(|(known, ..), _| *known != tab);
    }

    pub fn on_input(&mut self, tab: usize, input: &Input, now: u64) {
        match input {
            Input::ReloadRequested {
                by: Asker::User | Asker::UserAnyway,
            } => {
                self.clicked.insert(tab, true);
            }
            Input::Woke => self.count_timer(tab, now),
            Input::Started(start) => drop(self.offline.insert(tab, !start.online)),
            Input::WentOffline => drop(self.offline.insert(tab, true)),
            Input::WentOnline => drop(self.offline.insert(tab, false)),
            Input::HoldTaken { hold, deadline, .. } => {
                let deadline = deadline.map_or(now + 5 * MINUTE, |deadline| deadline.0);
                self.holds.entry(tab).or_default().insert(*hold, deadline);
            }
            Input::HoldReleased { hold } => {
                self.holds.entry(tab).or_default().remove(hold);
            }
            _ => {}
        }
        self.holds
            .entry(tab)
            .or_default()
            .retain(|_, deadline| *deadline > now);
    }

    pub fn on_effect(&mut self, tab: usize, effect: &Effect, leads: bool, locks: bool) {
        self.say(format!("tab {tab}: {effect:?}"));
        match effect {
            Effect::OpenStream { .. } => {
                self.hold(leads && locks, || {
                    format!("tab {tab} opens a stream and does not lead")
                });
            }
            Effect::RememberReload { target, count } if *count > 0 => {
                let clicked = self.clicked.insert(tab, false).unwrap_or(false);
                if !clicked {
                    let sequence = self.accepted.get(&tab).and_then(|(_, sequence)| *sequence);
                    let times = self
                        .automatic
                        .entry((tab, target.clone(), sequence))
                        .or_default();
                    *times += 1;
                    let times = *times;
                    self.hold(times <= 1, || {
                        format!("tab {tab} reloads itself {times} times for {target:?}")
                    });
                }
            }
            Effect::Reload => {
                let offline = self.offline.get(&tab).copied().unwrap_or(false);
                self.hold(!offline, || format!("tab {tab} reloads offline"));
                let holds = self.holds.get(&tab).map_or(0, BTreeMap::len);
                self.hold(holds == 0, || {
                    format!("tab {tab} reloads in spite of {holds} holds")
                });
            }
            Effect::RememberSequence { sequence, app: _ } => {
                let highest = self.highest.insert(tab, Some(*sequence)).flatten();
                self.hold(highest < Some(*sequence), || {
                    format!("tab {tab} remembers {sequence} after {highest:?}")
                });
            }
            _ => {}
        }
    }

    pub fn on_status(&mut self, tab: usize, page: u64, status: &Status) {
        let now = status.release.as_ref().map(|release| release.sequence);
        if let Some((before_page, before)) = self.accepted.insert(tab, (page, now))
            && before_page == page
        {
            self.hold(before <= now, || {
                format!("tab {tab} goes from release {before:?} to {now:?}")
            });
        }
        if let (Some(prompt), Some(build)) = (&status.prompt, &status.build) {
            self.hold(prompt.build != *build, || {
                format!("tab {tab} asks for the build it runs, {build:?}")
            });
        }
    }

    pub fn on_wake(&mut self, tab: usize, at: u64, now: u64) {
        self.hold(at > now, || format!("tab {tab} sets a timer for the past"));
    }

    fn count_timer(&mut self, tab: usize, now: u64) {
        let second = now / SECOND;
        let (known, count) = self.wakes.entry(tab).or_insert((second, 0));
        *count = if *known == second { *count + 1 } else { 1 };
        *known = second;
        let count = *count;
        self.hold(count < 200, || {
            format!("tab {tab} was woken {count} times within a second")
        });
    }

    pub fn on_check(&mut self, now: u64) {
        self.checks.push_back(now);
    }

    pub fn forget_clicks(&mut self) {
        self.clicked.clear();
    }

    /// Checks the end, after a long calm.
    pub fn at_the_end(&mut self, tabs: &[Tab], server: &Server, now: u64) -> Option<String> {
        let newest = server.newest();
        for (number, tab) in tabs.iter().enumerate() {
            let Some(guard) = &tab.guard else {
                return Some(format!("tab {number} never came back"));
            };
            let status = guard.status();
            let seen = status.release.as_ref().map(|release| release.sequence);
            if seen != Some(newest.sequence) {
                return Some(format!(
                    "tab {number} knows release {seen:?}, and {} is out: {status:#?}",
                    newest.sequence
                ));
            }
            let content = if tab.build == newest.build.id {
                status.decision.reason == Reason::SameBuild && status.prompt.is_none()
            } else {
                let unseen = !server.differ(&tab.build, &newest.build.id);
                match status.decision.reason {
                    Reason::NothingLoadedChanged => unseen,
                    Reason::Snoozed => status.prompt.is_none(),
                    _ => {
                        status.decision.kind == DecisionKind::Prompt && status.prompt.is_some()
                            || status.decision.kind == DecisionKind::Reload
                    }
                }
            };
            if !content {
                return Some(format!(
                    "tab {number} runs {:?}, and does nothing for it: {status:#?}",
                    tab.build
                ));
            }
            if status.failures > 0 {
                return Some(format!("tab {number} still fails: {status:#?}"));
            }
        }
        self.few_streams_and_looks(tabs, now)
    }

    fn few_streams_and_looks(&self, tabs: &[Tab], now: u64) -> Option<String> {
        let streams = tabs.iter().filter(|tab| tab.stream.is_some()).count();
        let leaders = tabs
            .iter()
            .filter(|tab| {
                tab.guard
                    .as_ref()
                    .is_some_and(|guard| guard.status().leader)
            })
            .count();
        let shares = tabs.first().is_some_and(Tab::has_locks);
        if shares && (streams > 1 || leaders != 1) {
            return Some(format!(
                "{leaders} tabs lead and {streams} streams are open"
            ));
        }
        let window = 10 * MINUTE;
        let recent = self.checks.iter().filter(|at| **at + window >= now).count();
        let most = if shares { 14 } else { 14 * tabs.len() };
        (recent > most)
            .then(|| format!("{recent} checks in the last ten minutes, at most {most} are due"))
    }
}
