//! Names the points between the writes of a publish, so that the kill test can stop the process at each of them.
//!
//! `CHANGEOVER_STEPS=trace` prints every step to standard error; `CHANGEOVER_STEPS=17` stops for ever at the 17th,
//! `CHANGEOVER_STEPS="pointer moved"` at the first of that name, and says so. Without the variable a step costs one
//! atomic load.

use std::io::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

enum Watch {
    Nothing,
    Trace,
    StopAt(u32),
    StopAtName(String),
}

pub fn step(name: &str) {
    static WATCH: OnceLock<Watch> = OnceLock::new();
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let watch = WATCH.get_or_init(|| match std::env::var("CHANGEOVER_STEPS") {
        Ok(text) if text == "trace" => Watch::Trace,
        Ok(text) => match text.parse() {
            Ok(number) => Watch::StopAt(number),
            Err(_) => Watch::StopAtName(text),
        },
        Err(_) => Watch::Nothing,
    });
    if matches!(watch, Watch::Nothing) {
        return;
    }
    let count = COUNT.fetch_add(1, Ordering::Relaxed) + 1;
    let stop = match watch {
        Watch::Nothing => false,
        Watch::Trace => {
            eprintln!("step {count} {name}");
            false
        }
        Watch::StopAt(n) => *n == count,
        Watch::StopAtName(wanted) => wanted == name,
    };
    if stop {
        eprintln!("stopped at step {count} {name}");
        let _ = std::io::stderr().flush();
        loop {
            std::thread::park();
        }
    }
}
