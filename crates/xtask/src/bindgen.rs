//! `wasm-bindgen --target web` in the version that the workspace pins, for tests with apps.

use std::path::Path;

use anyhow::Result;
use wasm_bindgen_cli_support::Bindgen;

/// Writes the glue and the WebAssembly of one compiled `cdylib` into `out`.
pub fn write(wasm: &Path, out: &Path) -> Result<()> {
    Bindgen::new()
        .input_path(wasm)
        .web(true)?
        .typescript(false)
        .generate(out)
}
