//! The npm package's WebAssembly: `bindings.js` (an ES module without side effects) and `changeover.wasm`.
//!
//! wasm-bindgen writes glue that runs when it is loaded. A page guard must do nothing on import, and a server must be
//! able to import it, so the glue is wrapped into a factory: `createBindings()` runs it when asked.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use wasm_bindgen_cli_support::Bindgen;
use wasmparser::{Parser, Payload};

/// Compiles the runtime with its JavaScript surface and writes glue and wasm into `out`.
pub fn build(workspace: &Path, out: &Path) -> Result<()> {
    let compiled = compile(workspace)?;
    let mut output = Bindgen::new()
        .input_path(&compiled)
        .out_name("changeover")
        .no_modules(true)?
        .omit_default_module_path(true)
        .remove_name_section(true)
        .remove_producers_section(true)
        .typescript(false)
        .generate_output()?;
    ensure!(
        output.snippets().is_empty() && output.local_modules().is_empty(),
        "the runtime uses JavaScript snippets, which cannot be part of one self-contained module"
    );
    let bindings = factory(output.js())?;
    let wasm = output.wasm_mut().emit_wasm();
    ensure_no_environment(&wasm)?;

    fs::create_dir_all(out).with_context(|| out.display().to_string())?;
    write(&out.join("bindings.js"), bindings.as_bytes())?;
    write(&out.join("changeover.wasm"), &wasm)?;
    println!(
        "wasm: {} bytes of WebAssembly, {} bytes of glue",
        wasm.len(),
        bindings.len()
    );
    Ok(())
}

fn compile(workspace: &Path) -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = [
        "rustc",
        "--package",
        "changeover",
        "--lib",
        "--crate-type",
        "cdylib",
        "--features",
        "js",
        "--profile",
        "wasm",
        "--target",
        "wasm32-unknown-unknown",
    ];
    let status = Command::new(cargo)
        .args(arguments)
        .current_dir(workspace)
        .status()
        .context("cargo could not be started")?;
    ensure!(
        status.success(),
        "the runtime does not compile for WebAssembly"
    );
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| OsString::from("target"));
    Ok(workspace
        .join(target)
        .join("wasm32-unknown-unknown/wasm/changeover.wasm"))
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).with_context(|| path.display().to_string())
}

/// Fails when the module wants something from `env`: nobody provides it in a browser, and instantiation would throw.
fn ensure_no_environment(wasm: &[u8]) -> Result<()> {
    for payload in Parser::new(0).parse_all(wasm) {
        if let Payload::ImportSection(imports) = payload? {
            for import in imports.into_imports() {
                let import = import?;
                if import.module == "env" {
                    bail!(
                        "the WebAssembly imports `{}` from `env`, which no browser provides; a dependency expects a C library",
                        import.name
                    );
                }
            }
        }
    }
    Ok(())
}

const HEAD: &str = "let wasm_bindgen = (function(exports) {\n";
const TAIL: &str = "})({ __proto__: null });";

/// Turns wasm-bindgen's immediately called function into an exported one.
///
/// The shape of the generated text is asserted, so that another wasm-bindgen fails the build instead of a page.
fn factory(glue: &str) -> Result<String> {
    let start = glue
        .find(HEAD)
        .context("wasm-bindgen's glue does not start as expected")?;
    ensure!(
        glue[..start].trim().is_empty(),
        "wasm-bindgen's glue does something before its function"
    );
    let end = glue
        .rfind(TAIL)
        .context("wasm-bindgen's glue does not end as expected")?;
    ensure!(
        glue[end + TAIL.len()..].trim().is_empty(),
        "wasm-bindgen's glue does something after its function"
    );
    let body = without_script_source(&glue[start + HEAD.len()..end])?;
    ensure!(
        !body.contains("import.meta"),
        "wasm-bindgen's glue uses import.meta, which breaks in classic scripts"
    );
    Ok(format!(
        "export function createBindings() {{\n    const exports = {{ __proto__: null }};\n{body}}}\n"
    ))
}

/// Removes the lines that look up the URL of the current script: it would be evaluated when nobody asked.
fn without_script_source(body: &str) -> Result<String> {
    const FIRST: &str = "    let script_src;\n";
    const LAST: &str = "\n    }\n";
    let Some(start) = body.find(FIRST) else {
        return Ok(body.to_owned());
    };
    let after = start + FIRST.len();
    let length = body[after..]
        .find(LAST)
        .context("the script_src block of wasm-bindgen's glue does not end")?;
    let rest = [&body[..start], &body[after + length + LAST.len()..]].concat();
    ensure!(
        !rest.contains("script_src"),
        "wasm-bindgen's glue uses script_src outside its block"
    );
    Ok(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_factory_runs_nothing_by_itself() {
        let glue = format!(
            "{HEAD}    let script_src;\n    if (typeof document !== 'undefined') {{\n        script_src = 1;\n    }}\n    exports.a = 1;\n    return exports;\n{TAIL}\n"
        );
        let module = factory(&glue).unwrap();
        assert_eq!(
            module,
            "export function createBindings() {\n    const exports = { __proto__: null };\n    exports.a = 1;\n    return exports;\n}\n"
        );
    }

    #[test]
    fn glue_of_another_shape_fails_the_build() {
        assert!(factory("export default function init() {}").is_err());
        assert!(factory(&format!("window.a = 1;\n{HEAD}{TAIL}")).is_err());
        assert!(factory(&format!("{HEAD}{TAIL}\nwasm_bindgen();")).is_err());
        assert!(factory(&format!("{HEAD}new URL('a', import.meta.url);{TAIL}")).is_err());
    }

    #[test]
    fn an_import_from_env_is_refused() {
        // (module (import "env" "time" (func)))
        let wants_env = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x02\x0c\x01\x03env\x04time\0\0";
        let error = ensure_no_environment(wants_env).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the WebAssembly imports `time` from `env`, which no browser provides; a dependency expects a C library"
        );
        let wants_glue = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x02\x0c\x01\x03wbg\x04time\0\0";
        assert!(ensure_no_environment(wants_glue).is_ok());
    }
}
