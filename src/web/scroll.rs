//! Scrolls the page back to where it was, once it is tall enough again.

use std::rc::Rc;

use super::callback::{Listener, Timer, window};

/// How long an arriving page may take to grow to its old height.
const PATIENCE: u32 = 2_000;
const STEP: u32 = 50;

/// An attempt to scroll; it ends when it succeeds, after [`PATIENCE`] milliseconds, or when the user scrolls.
#[must_use = "dropping it gives up"]
pub struct ScrollRestore {
    _attempt: Rc<Attempt>,
}

struct Attempt {
    timer: Timer,
    _listeners: Vec<Listener>,
}

pub fn position() -> (f64, f64) {
    let window = window();
    (
        window.scroll_x().unwrap_or(0.0),
        window.scroll_y().unwrap_or(0.0),
    )
}

impl ScrollRestore {
    pub fn start((x, y): (f64, f64)) -> Self {
        let attempt = Rc::new_cyclic(|attempt: &std::rc::Weak<Attempt>| {
            let again = attempt.clone();
            let left = std::cell::Cell::new(PATIENCE / STEP);
            let timer = Timer::new(move || {
                let Some(attempt) = again.upgrade() else {
                    return;
                };
                window().scroll_to_with_x_and_y(x, y);
                let (now_x, now_y) = position();
                let there = (now_x - x).abs() < 1.5 && (now_y - y).abs() < 1.5;
                left.set(left.get().saturating_sub(1));
                if !there && left.get() > 0 {
                    attempt.timer.arm(STEP.into());
                }
            });
            let give_up = |kind| {
                let attempt = attempt.clone();
                Listener::new(&window(), kind, move |_| {
                    if let Some(attempt) = attempt.upgrade() {
                        attempt.timer.clear();
                    }
                })
            };
            let listeners = ["wheel", "touchmove", "keydown", "pointerdown"]
                .into_iter()
                .map(give_up)
                .collect();
            Attempt {
                timer,
                _listeners: listeners,
            }
        });
        attempt.timer.arm(0);
        Self { _attempt: attempt }
    }
}
