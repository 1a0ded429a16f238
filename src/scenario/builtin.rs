//! Scenarios and strategies that come with the program.

/// A file that comes with the program.
#[derive(Clone, Copy, Debug)]
pub struct Builtin {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// One line on it.
    pub summary: &'static str,
    /// The TOML text.
    pub text: &'static str,
}

/// What a built-in file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole scenario.
    Scenario,
    /// A way to deploy and to fail over, laid over a scenario.
    Strategy,
}

/// A scenario for tests and examples, too small to be listed.
const TINY: &str = include_str!("../../scenarios/tiny.toml");

const BUILTINS: &[Builtin] = &[
    #[cfg(test)]
    Builtin {
        name: "test-strategy",
        kind: Kind::Strategy,
        summary: "for tests of loading",
        text: "[policy]\nuse = 'dns-only'\nhold = '9s'\n[[service]]\nname = '*'\ndark = 0.75",
    },
];

/// The text of a built-in scenario or strategy.
pub fn builtin(name: &str) -> Option<&'static str> {
    if name == "tiny" {
        return Some(TINY);
    }
    BUILTINS.iter().find(|b| b.name == name).map(|b| b.text)
}

/// All that is listed.
pub fn builtins() -> &'static [Builtin] {
    BUILTINS
}
