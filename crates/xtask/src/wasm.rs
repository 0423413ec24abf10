//! The npm package's WebAssembly: for each of its two modules the glue (an ES module without side effects) and the wasm.
//!
//! wasm-bindgen writes glue that runs when it is loaded. Importing the guard must have no effect and must work on a
//! server, so the glue is wrapped into a factory, `createBindings()`.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use wasm_bindgen_cli_support::Bindgen;
use wasmparser::{Parser, Payload};

/// One WebAssembly module: the crate with the JavaScript surface of some features.
struct Module {
    feature: &'static str,
    glue: &'static str,
    wasm: &'static str,
}

const MODULES: [Module; 3] = [
    Module {
        feature: "js",
        glue: "bindings.js",
        wasm: "changeover.wasm",
    },
    Module {
        feature: "js,swap",
        glue: "slots-bindings.js",
        wasm: "changeover-slots.wasm",
    },
    Module {
        feature: "stores",
        glue: "stores-bindings.js",
        wasm: "stores.wasm",
    },
];

/// Compiles the runtime with each of its JavaScript surfaces and writes glue and wasm into `out`.
pub fn build(workspace: &Path, out: &Path) -> Result<()> {
    for module in &MODULES {
        build_module(workspace, out, module)?;
    }
    Ok(())
}

fn build_module(workspace: &Path, out: &Path, module: &Module) -> Result<()> {
    let compiled = compile(workspace, module.feature)?;
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
        output.snippets().values().all(Vec::is_empty) && output.local_modules().is_empty(),
        "the runtime uses JavaScript snippets, which cannot be part of one self-contained module"
    );
    let bindings = factory(output.js())?;
    let wasm = output.wasm_mut().emit_wasm();
    ensure_no_environment(&wasm)?;

    fs::create_dir_all(out).with_context(|| out.display().to_string())?;
    write(&out.join(module.glue), bindings.as_bytes())?;
    write(&out.join(module.wasm), &wasm)?;
    println!(
        "{}: {} bytes of WebAssembly, {} bytes of glue",
        module.wasm,
        wasm.len(),
        bindings.len()
    );
    Ok(())
}

fn compile(workspace: &Path, feature: &str) -> Result<PathBuf> {
    let target = ["--target", "wasm32-unknown-unknown"];
    // Packages are fetched first, so that the folders of all sources are known.
    cargo(
        workspace,
        &[&["fetch", "--locked"], &target[..]].concat(),
        &[],
    )?;
    let build = [
        "rustc",
        "--package",
        "changeover",
        "--lib",
        "--crate-type",
        "cdylib",
        "--no-default-features",
        "--features",
        feature,
        "--profile",
        "wasm",
    ];
    cargo(
        workspace,
        &[&build[..], &target[..]].concat(),
        &shorter_paths(workspace)?,
    )?;
    let folder = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| OsString::from("target"));
    Ok(workspace
        .join(folder)
        .join("wasm32-unknown-unknown/wasm/changeover.wasm"))
}

fn cargo(workspace: &Path, arguments: &[&str], flags: &[String]) -> Result<()> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(workspace);
    if !flags.is_empty() {
        command.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"));
    }
    let status = command.status().context("cargo could not be started")?;
    ensure!(status.success(), "`cargo {}` failed", arguments.join(" "));
    Ok(())
}

/// Compiler flags that remove the folders of this machine from panic messages, so that every machine builds the same
/// bytes and pages do not contain paths of a developer's disk.
fn shorter_paths(workspace: &Path) -> Result<Vec<String>> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home
        .or_else(|| std::env::home_dir().map(|home| home.join(".cargo")))
        .context("there is no home folder")?;
    let mut flags = vec![format!("--remap-path-prefix={}=", workspace.display())];
    let sources = home.join("registry").join("src");
    for entry in fs::read_dir(&sources).with_context(|| sources.display().to_string())? {
        flags.push(format!("--remap-path-prefix={}=", entry?.path().display()));
    }
    Ok(flags)
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).with_context(|| path.display().to_string())
}

/// Fails when the module imports something from `env`, which no browser provides.
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

/// Lines of wasm-bindgen's glue at which the factory is cut, without their indentation.
const HEAD: &str = "let wasm_bindgen = (function(exports) {";
const SCRIPT: &str = "let script_src;";
const LOADING: &str = "async function __wbg_load(module, imports) {";
const RETURN: &str = "return Object.assign(__wbg_init, { initSync }, exports);";
const TAIL: &str = "})({ __proto__: null });";

/// Turns wasm-bindgen's immediately called function into an exported one that returns
/// `{ exports, imports, start(instance, module) }`.
///
/// The lookup of the current script is dropped because it would run at import. All ways of loading are dropped because
/// the facade instantiates the module itself, to distinguish a missing file from a blocked one. The shape of the
/// generated text is asserted, so that another version of wasm-bindgen fails the build and not a page.
fn factory(glue: &str) -> Result<String> {
    let lines: Vec<&str> = glue
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    ensure!(
        lines.first() == Some(&HEAD),
        "wasm-bindgen's glue does not start with `{HEAD}`"
    );
    ensure!(
        lines.ends_with(&[RETURN, TAIL]),
        "wasm-bindgen's glue does not end with `{RETURN}` and `{TAIL}`"
    );
    let loading = only(&lines, LOADING)?;
    let mut kept = lines[1..loading].to_vec();
    if kept.contains(&SCRIPT) {
        let start = only(&kept, SCRIPT)?;
        let length = kept[start..]
            .iter()
            .position(|line| *line == "}")
            .context("the script_src block of wasm-bindgen's glue does not end")?;
        kept.drain(start..=start + length);
    }
    let body = kept.join("\n");
    for word in [
        "script_src",
        "import.meta",
        "__wbg_load",
        "__wbg_init",
        "initSync",
    ] {
        ensure!(
            !body.contains(word),
            "wasm-bindgen's glue uses {word} where it is not expected"
        );
    }
    for word in [
        "function __wbg_get_imports() {",
        "function __wbg_finalize_init(instance, module) {",
    ] {
        ensure!(body.contains(word), "wasm-bindgen's glue has no `{word}`");
    }
    Ok(format!(
        "export function createBindings() {{\nconst exports = {{ __proto__: null }};\n{body}\n\
         return {{ exports, imports: __wbg_get_imports(), start: __wbg_finalize_init }};\n}}\n"
    ))
}

fn only(lines: &[&str], wanted: &str) -> Result<usize> {
    let mut places = lines
        .iter()
        .enumerate()
        .filter(|(_, line)| **line == wanted)
        .map(|(at, _)| at);
    let first = places
        .next()
        .with_context(|| format!("wasm-bindgen's glue has no line `{wanted}`"))?;
    ensure!(
        places.next().is_none(),
        "wasm-bindgen's glue has the line `{wanted}` twice"
    );
    Ok(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = "
        let wasm_bindgen = (function(exports) {
            let script_src;
            if (typeof document !== 'undefined') {
                script_src = new URL(document.currentScript.src, location.href).toString();
            }
            exports.a = 1;
            function __wbg_get_imports() {
                return 2;
            }
            function __wbg_finalize_init(instance, module) {
                return 3;
            }
            async function __wbg_load(module, imports) {
                fetch(script_src);
            }
            return Object.assign(__wbg_init, { initSync }, exports);
        })({ __proto__: null });
        ";

    #[test]
    fn the_factory_keeps_the_glue_and_drops_what_would_run_or_load() {
        let module = factory(SAMPLE).unwrap();
        assert!(module.starts_with("export function createBindings() {\nconst exports = { __proto__: null };\nexports.a = 1;\n"));
        assert!(module.ends_with(
            "return { exports, imports: __wbg_get_imports(), start: __wbg_finalize_init };\n}\n"
        ));
        assert!(!module.contains("script_src") && !module.contains("fetch"));
    }

    #[test]
    fn glue_of_another_shape_fails_the_build() {
        let fails = |from: &str, to: &str| {
            assert!(SAMPLE.contains(from), "{from:?} is not in the sample");
            assert!(
                factory(&SAMPLE.replace(from, to)).is_err(),
                "passed with {to:?} for {from:?}"
            );
        };
        fails("let wasm_bindgen = ", "window.a = ");
        fails(
            "})({ __proto__: null });",
            "})({ __proto__: null });\nwasm_bindgen();",
        );
        fails("exports.a = 1;", "exports.a = import.meta.url;");
        fails("exports.a = 1;", "exports.a = script_src;");
        fails(
            "async function __wbg_load(module, imports) {",
            "function load() {",
        );
        fails("function __wbg_get_imports() {", "function imports() {");
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
