//! The program; all of it is in [`darkregion::cli`].

fn main() -> std::process::ExitCode {
    darkregion::cli::main()
}
