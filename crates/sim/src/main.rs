//! `changeover-sim replay FILE` replays a recorded trace. `changeover-sim run [--seeds N] [--from N]` runs worlds. Exit
//! code 1: there was a difference, or a seed broke a promise; the first is printed. Exit code 2: wrong usage.

use std::process::ExitCode;

use changeover_sim::{
    replay::replay,
    world::{Outcome, run},
};

const USAGE: &str = "usage: changeover-sim replay FILE | run [--seeds N] [--from N]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["replay", file] => replay_file(file),
        ["run", options @ ..] => match seeds(options) {
            Some((from, count)) => run_worlds(from, count),
            None => usage(),
        },
        _ => usage(),
    }
}

fn usage() -> ExitCode {
    eprintln!("{USAGE}");
    ExitCode::from(2)
}

fn replay_file(file: &str) -> ExitCode {
    let trace = match std::fs::read_to_string(file) {
        Ok(trace) => trace,
        Err(error) => {
            eprintln!("{file} cannot be read: {error}");
            return ExitCode::FAILURE;
        }
    };
    match replay(&trace) {
        Ok(replayed) => {
            println!(
                "{file}: {} inputs gave the same {} outputs",
                replayed.inputs, replayed.outputs
            );
            ExitCode::SUCCESS
        }
        Err(difference) => {
            eprintln!("{file}: {difference}");
            ExitCode::FAILURE
        }
    }
}

fn seeds(options: &[&str]) -> Option<(u64, u64)> {
    let (mut from, mut count) = (0, 100);
    for pair in options.chunks(2) {
        match pair {
            ["--seeds", number] => count = number.parse().ok()?,
            ["--from", number] => from = number.parse().ok()?,
            _ => return None,
        }
    }
    Some((from, count))
}

fn run_worlds(from: u64, count: u64) -> ExitCode {
    let mut total = Outcome::default();
    for seed in from..from.saturating_add(count) {
        match run(seed) {
            Ok(outcome) => total = total.and(&outcome),
            Err(broken) => {
                eprintln!("seed {seed}: {broken}");
                return ExitCode::FAILURE;
            }
        }
    }
    println!("{count} worlds from seed {from}: {total}");
    ExitCode::SUCCESS
}
