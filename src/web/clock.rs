//! Wall time that never runs backwards.

use std::cell::Cell;

use super::callback::window;
use crate::time::Timestamp;

/// `Date.now()`, shifted forwards by whatever the system clock was set back since the page started.
///
/// Elapsed time is what counts, and a monotonic clock stands still while a laptop sleeps or a tab is frozen, hence wall
/// time. A clock that merely stopped at its highest value would keep every timer waiting until it is passed again,
/// hence the shift.
#[derive(Default)]
pub struct Clock {
    last: Cell<u64>,
    shift: Cell<u64>,
}

impl Clock {
    pub fn now(&self) -> Timestamp {
        Timestamp(self.read(js_sys::Date::now() as u64))
    }

    fn read(&self, wall: u64) -> u64 {
        let now = wall + self.shift.get();
        if now < self.last.get() {
            self.shift.set(self.shift.get() + (self.last.get() - now));
            return self.last.get();
        }
        self.last.set(now);
        now
    }
}

/// The later of two clocks: wall time, and the time by which the browser dates documents, which stands still while a
/// machine sleeps and does not follow when its clock is set.
pub fn latest() -> f64 {
    let wall = js_sys::Date::now();
    let latest = window().performance().map_or(wall, |performance| {
        wall.max(performance.time_origin() + performance.now())
    });
    latest.floor()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_on_from_its_highest_value_when_the_system_clock_is_set_back() {
        let clock = Clock::default();
        assert_eq!(clock.read(10_000), 10_000);
        assert_eq!(clock.read(4_000), 10_000);
        assert_eq!(clock.read(4_500), 10_500);
        assert_eq!(clock.read(4_400), 10_500);
        assert_eq!(clock.read(9_000), 15_100);
    }
}
