//! Build automation: `cargo xtask wasm OUT`, `cargo xtask bindgen WASM OUT`, `cargo xtask layers`, `cargo xtask licences`.

mod bindgen;
mod layers;
mod licences;
mod wasm;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

const USAGE: &str = "usage: cargo xtask wasm OUT-DIR | bindgen WASM OUT-DIR | layers | licences";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["wasm", out] => wasm::build(&workspace()?, Path::new(out)),
        ["bindgen", wasm, out] => bindgen::write(Path::new(wasm), Path::new(out)),
        ["layers"] => layers::check(&workspace()?),
        ["licences"] => licences::check(&workspace()?),
        _ => bail!(USAGE),
    }
}

/// The folder of the workspace, from cargo: with a shared target folder, this binary may be from another checkout.
fn workspace() -> Result<PathBuf> {
    let xtask = std::env::var_os("CARGO_MANIFEST_DIR").context("run this as `cargo xtask`")?;
    Ok(Path::new(&xtask)
        .ancestors()
        .nth(2)
        .context("crates/xtask lies two folders deep")?
        .to_path_buf())
}
