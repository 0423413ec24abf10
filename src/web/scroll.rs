//! Scrolls the page back to where it was, once it is tall enough again.

use std::{cell::RefCell, rc::Rc};

use gloo_timers::future::TimeoutFuture;

use super::callback::{Listener, Task, window};

/// How long an arriving page may take to grow to its old height, and the time between two tries, in milliseconds.
const PATIENCE: u32 = 2_000;
const STEP: u32 = 50;

/// An attempt to scroll; it ends when it succeeds, after [`PATIENCE`], or when the user scrolls.
#[must_use = "dropping it gives up"]
pub struct ScrollRestore {
    _attempt: Rc<RefCell<Option<Task>>>,
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
    pub fn start(to: (f64, f64)) -> Self {
        let attempt = Rc::new(RefCell::new(Some(Task::spawn(scroll(to)))));
        let give_up = |kind| {
            let attempt = attempt.clone();
            Listener::new(&window(), kind, move |_| drop(attempt.take()))
        };
        let listeners = ["wheel", "touchmove", "keydown", "pointerdown"]
            .into_iter()
            .map(give_up)
            .collect();
        Self {
            _attempt: attempt,
            _listeners: listeners,
        }
    }
}

async fn scroll((x, y): (f64, f64)) {
    TimeoutFuture::new(0).await;
    for _ in 0..PATIENCE / STEP {
        window().scroll_to_with_x_and_y(x, y);
        let (now_x, now_y) = position();
        if (now_x - x).abs() < 1.5 && (now_y - y).abs() < 1.5 {
            return;
        }
        TimeoutFuture::new(STEP).await;
    }
}
