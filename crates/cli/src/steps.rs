//! Names the points between the writes of a publish, so that the kill test can stop the process at each of them.
//!
//! `CHANGEOVER_STEPS=trace` prints every step to standard error; `CHANGEOVER_STEPS=17` stops for ever at the 17th and
//! says so. Without the variable a step costs one atomic load.

use std::io::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

enum Watch {
    Nothing,
    Trace,
    StopAt(u32),
}

pub fn step(name: &str) {
    static WATCH: OnceLock<Watch> = OnceLock::new();
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let watch = WATCH.get_or_init(|| match std::env::var("CHANGEOVER_STEPS") {
        Ok(text) if text == "trace" => Watch::Trace,
        Ok(text) => text.parse().map_or(Watch::Nothing, Watch::StopAt),
        Err(_) => Watch::Nothing,
    });
    if matches!(watch, Watch::Nothing) {
        return;
    }
    let count = COUNT.fetch_add(1, Ordering::Relaxed) + 1;
    match watch {
        Watch::Nothing => {}
        Watch::Trace => eprintln!("step {count} {name}"),
        Watch::StopAt(n) if *n == count => {
            eprintln!("stopped at step {count} {name}");
            let _ = std::io::stderr().flush();
            loop {
                std::thread::park();
            }
        }
        Watch::StopAt(_) => {}
    }
}
