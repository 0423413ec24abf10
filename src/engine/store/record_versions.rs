//! The versions of records that one tab has seen, and the records that it listens to.
//!
//! They decide two things. First, whether a plain write of this tab may win: while the tab is awake it may, since it hears
//! of every change. After a suspension it may have missed some, so that a write to a record that it saw before counts only
//! if no other tab has written it since. Second, which records are read again after a hint, and whether the result is a
//! change: hints may be lost, late or wrong, and the stamp that is read decides.

use alloc::{string::String, vec::Vec};

use super::head::Stamp;
use super::transaction::Seen;
use crate::ids::Names;

/// Most records whose version is remembered. Beyond that some are forgotten, and writes to them win as if they had never
/// been seen.
const LIMIT: usize = 4_096;

#[derive(Clone, Debug, Default)]
pub struct RecordVersions {
    seen: Names<SeenVersion>,
    /// Incremented by every suspension.
    days: u32,
    /// The number of listeners of each record.
    listeners: Names<usize>,
    /// The number of listeners of all records.
    to_all: usize,
    reading: Vec<Reading>,
}

#[derive(Clone, Copy, Debug)]
struct SeenVersion {
    stamp: Option<Stamp>,
    wake_epoch: u32,
    /// The stamp that listeners were last told, if any.
    told: Option<Option<Stamp>>,
}

#[derive(Clone, Debug)]
struct Reading {
    key: String,
    /// Hinted at again while the read is under way.
    again: bool,
}

/// The result of a read for listeners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct News {
    pub tell: bool,
    pub read_again: bool,
}

impl RecordVersions {
    /// The tab has read or written a record: this is its last known version.
    pub fn on_seen(&mut self, key: &str, stamp: Option<Stamp>) {
        let told = self.seen.get(key).and_then(|sight| sight.told);
        let wake_epoch = self.days;
        if self.seen.len() >= LIMIT && !self.seen.contains_key(key) {
            // Every other one: neither end of the order is forgotten more than the other.
            let mut keeps = false;
            self.seen.retain(|_, _| {
                keeps = !keeps;
                keeps
            });
        }
        self.seen.insert(
            key.into(),
            SeenVersion {
                stamp,
                wake_epoch,
                told,
            },
        );
    }

    /// The tab was frozen, cached or suspended: it may have missed changes.
    pub fn on_slept(&mut self) {
        self.days = self.days.wrapping_add(1);
    }

    /// The version that a plain write to `key` depends on: none, unless the tab was suspended since it saw the record.
    pub fn condition(&self, key: &str) -> Option<Seen> {
        let sight = self.seen.get(key)?;
        (sight.wake_epoch != self.days).then_some(Seen(sight.stamp))
    }

    /// `None`: to all records.
    pub fn on_listened(&mut self, key: Option<&str>) {
        let Some(key) = key else {
            self.to_all += 1;
            return;
        };
        let count = self.listeners.get(key).copied().unwrap_or_default();
        self.listeners.insert(key.into(), count + 1);
    }

    pub fn on_unlistened(&mut self, key: Option<&str>) {
        let Some(key) = key else {
            self.to_all = self.to_all.saturating_sub(1);
            return;
        };
        match self.listeners.get(key).copied() {
            Some(count) if count > 1 => drop(self.listeners.insert(key.into(), count - 1)),
            _ => drop(self.listeners.remove(key)),
        }
    }

    /// A record may have changed. Returns whether to read it now.
    pub fn on_hinted(&mut self, key: &str) -> bool {
        if self.to_all == 0 && !self.listeners.contains_key(key) {
            return false;
        }
        match self.reading.iter_mut().find(|it| it.key == key) {
            Some(reading) => {
                reading.again = true;
                false
            }
            None => {
                self.reading.push(Reading {
                    key: key.into(),
                    again: false,
                });
                true
            }
        }
    }

    /// Everything may have changed. Returns the records to read; listeners of all records are told by the caller.
    pub fn on_missed(&mut self) -> Vec<String> {
        let keys: Vec<String> = self.listeners.keys().cloned().collect();
        keys.into_iter().filter(|key| self.on_hinted(key)).collect()
    }

    pub fn has_listeners_to_all(&self) -> bool {
        self.to_all > 0
    }

    /// The read after `on_hinted` was answered; `None`: it failed, and the next hint tries again.
    pub fn on_read(&mut self, key: &str, answer: Option<Option<Stamp>>) -> News {
        let place = self.reading.iter().position(|it| it.key == key);
        let read_again = place.is_some_and(|place| self.reading[place].again);
        match (place, read_again) {
            (Some(place), true) => self.reading[place].again = false,
            (Some(place), false) => drop(self.reading.remove(place)),
            (None, _) => {}
        }
        let mut tell = false;
        if let Some(stamp) = answer {
            self.on_seen(key, stamp);
            if let Some(sight) = self.seen.get_mut(key) {
                tell = sight.told != Some(stamp);
                sight.told = Some(stamp);
            }
        }
        News { tell, read_again }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn stamp(count: u64) -> Option<Stamp> {
        Some(Stamp { writer: 1, count })
    }

    #[test]
    fn a_write_depends_on_what_was_seen_only_after_a_sleep() {
        let mut versions = RecordVersions::default();
        versions.on_seen("a", stamp(1));
        versions.on_seen("gone", None);
        assert_eq!(versions.condition("a"), None);
        versions.on_slept();
        assert_eq!(versions.condition("a"), Some(Seen(stamp(1))));
        assert_eq!(versions.condition("gone"), Some(Seen(None)));
        assert_eq!(versions.condition("never seen"), None);
        versions.on_seen("a", stamp(2));
        assert_eq!(versions.condition("a"), None, "it is up to date again");
    }

    #[test]
    fn a_hint_during_a_read_reads_once_more_so_the_last_value_is_told() {
        let mut versions = RecordVersions::default();
        assert!(!versions.on_hinted("a"), "there is no listener yet");
        versions.on_listened(Some("a"));
        assert!(versions.on_hinted("a"));
        assert!(!versions.on_hinted("a"));
        assert!(!versions.on_hinted("a"));
        let told = |tell, read_again| News { tell, read_again };
        assert_eq!(versions.on_read("a", Some(stamp(1))), told(true, true));
        assert_eq!(versions.on_read("a", Some(stamp(2))), told(true, false));
        assert!(versions.on_hinted("a"));
        assert_eq!(
            versions.on_read("a", Some(stamp(2))),
            told(false, false),
            "the same write is no news"
        );
        assert!(versions.on_hinted("a"));
        assert_eq!(versions.on_read("a", None), told(false, false));
        assert!(
            versions.on_hinted("a"),
            "a failed read can be asked for again"
        );
    }

    #[test]
    fn after_a_sleep_every_record_that_has_a_listener_is_read() {
        let mut versions = RecordVersions::default();
        versions.on_listened(Some("b"));
        versions.on_listened(Some("a"));
        versions.on_listened(Some("a"));
        versions.on_listened(None);
        assert!(versions.on_hinted("a"));
        assert_eq!(versions.on_missed(), ["b"], "a is being read already");
        assert!(versions.has_listeners_to_all());
        versions.on_unlistened(Some("a"));
        versions.on_unlistened(Some("b"));
        versions.on_unlistened(None);
        versions.on_read("a", Some(None));
        assert!(
            versions.on_read("a", Some(None))
                == News {
                    tell: false,
                    read_again: false
                }
        );
        assert!(!versions.has_listeners_to_all());
        assert!(versions.on_hinted("a"), "one listener is left");
        assert!(!versions.on_hinted("b"));
    }

    #[test]
    fn memory_of_what_was_seen_is_bounded() {
        let mut versions = RecordVersions::default();
        for count in 0..LIMIT + 5 {
            versions.on_seen(&alloc::format!("{count:06}"), stamp(1));
        }
        assert!(versions.seen.len() > LIMIT / 2 && versions.seen.len() <= LIMIT);
    }
}
