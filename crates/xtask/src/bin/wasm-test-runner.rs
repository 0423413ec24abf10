//! Cargo's runner for WebAssembly tests: hands the test binary to wasm-bindgen's own test runner.

fn main() -> anyhow::Result<()> {
    wasm_bindgen_cli::wasm_bindgen_test_runner::run_cli_with_args(std::env::args_os())
}
