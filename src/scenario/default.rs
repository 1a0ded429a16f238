//! What a key means when nobody sets it.

use crate::model::scenario::Origin;
use std::borrow::Cow;

/// A default, written as a user would write the value.
#[derive(Clone, Debug)]
pub struct DefaultValue {
    /// The value: TOML, or a bare word.
    pub text: Cow<'static, str>,
    /// Where it is from; `None`: a setting or an absence, not an input.
    pub origin: Option<Origin>,
    /// Its source, or what it rests on.
    pub note: &'static str,
    /// Whether it only stands in for a value that must be given.
    pub missing: bool,
}

/// A default that is a setting of the run, or the absence of something.
pub fn setting(text: impl Into<Cow<'static, str>>) -> DefaultValue {
    DefaultValue {
        text: text.into(),
        origin: None,
        note: "",
        missing: false,
    }
}

/// A default that is a guess.
pub fn guess(text: impl Into<Cow<'static, str>>) -> DefaultValue {
    DefaultValue {
        origin: Some(Origin::Guess),
        note: "default",
        ..setting(text)
    }
}

/// A default from a public source.
pub fn sourced(text: impl Into<Cow<'static, str>>, note: &'static str) -> DefaultValue {
    DefaultValue {
        origin: Some(Origin::Sourced),
        note,
        ..setting(text)
    }
}

/// No default: the value must be given. `text` stands in so that the rest can be read.
pub fn required(text: &'static str) -> DefaultValue {
    DefaultValue {
        missing: true,
        ..setting(text)
    }
}
