use std::process::ExitCode;

fn main() -> ExitCode {
    changeover_cli::run()
}
