//! Named points between the writes of a command, at which a test can stop and kill the process.
//!
//! `CHANGEOVER_FAILPOINTS=trace` prints each of them to standard error. `CHANGEOVER_FAILPOINTS=17` stops the process at
//! the 17th, and `CHANGEOVER_FAILPOINTS="pointer moved"` at the first of that name; either prints where it stopped and
//! waits to be killed. Without the variable a failpoint costs one atomic load.

use std::io::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

enum Mode {
    Nothing,
    Trace,
    StopAt(u32),
    StopAtName(String),
}

pub fn failpoint(name: &str) {
    static MODE: OnceLock<Mode> = OnceLock::new();
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let mode = MODE.get_or_init(|| match std::env::var("CHANGEOVER_FAILPOINTS") {
        Ok(text) if text == "trace" => Mode::Trace,
        Ok(text) => match text.parse() {
            Ok(number) => Mode::StopAt(number),
            Err(_) => Mode::StopAtName(text),
        },
        Err(_) => Mode::Nothing,
    });
    if matches!(mode, Mode::Nothing) {
        return;
    }
    let count = COUNT.fetch_add(1, Ordering::Relaxed) + 1;
    let stop = match mode {
        Mode::Nothing => false,
        Mode::Trace => {
            eprintln!("failpoint {count} {name}");
            false
        }
        Mode::StopAt(n) => *n == count,
        Mode::StopAtName(wanted) => wanted == name,
    };
    if stop {
        eprintln!("stopped at failpoint {count} {name}");
        let _ = std::io::stderr().flush();
        loop {
            std::thread::park();
        }
    }
}
