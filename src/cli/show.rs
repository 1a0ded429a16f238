//! `show`: something built in as text that can be saved and edited, or the inputs that are guesses.

use crate::cli::failure::{Failure, say};
use crate::cli::format::{self, Format};
use crate::cli::load::{Overlays, is_path, source, variants};
use crate::cli::policy_file::policy_file;
use crate::model::scenario::{Input, Origin};
use crate::problem::nearest;
use crate::scenario::{builtin, builtins};
use crate::{faults, policies, slis};
use std::fmt::Write;

/// Arguments of `show`.
#[derive(clap::Args)]
pub struct Args {
    /// Scenario, strategy, policy, fault or SLI
    #[arg(required_unless_present = "guesses")]
    pub name: Option<String>,
    /// The inputs of a scenario (chaos-kong if none is named) that are guesses, or fitted to a result
    #[arg(long)]
    pub guesses: bool,
    #[command(flatten)]
    pub overlays: Overlays,
    /// What standard output gets
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// Prints it.
pub fn show(args: &Args) -> Result<u8, Failure> {
    let name = args.name.as_deref();
    match name {
        Some(name) if !args.guesses => {
            let text = shown(name, &args.overlays)?;
            say(&match args.format {
                Format::Text => text.into_bytes(),
                Format::Json => format::json(&serde_json::json!({ "name": name, "text": text }))?,
                Format::Markdown => {
                    let end = if text.ends_with('\n') { "" } else { "\n" };
                    format!("```toml\n{text}{end}```\n").into_bytes()
                }
            })?;
        }
        name => {
            let variants = guesses(name.unwrap_or("chaos-kong"), &args.overlays)?;
            say(&match args.format {
                Format::Text => guesses_text(&variants).into_bytes(),
                Format::Json => guesses_json(&variants)?,
                Format::Markdown => guesses_markdown(&variants).into_bytes(),
            })?;
        }
    }
    Ok(0)
}

fn shown(name: &str, overlays: &Overlays) -> Result<String, Failure> {
    if is_path(name) || (builtin(name).is_some() && !overlays.is_empty()) {
        let variants = variants(&source(name)?, overlays)?;
        let texts: Vec<String> = variants
            .iter()
            .map(|variant| match variants.len() {
                1 => variant.document.toml(),
                _ => format!("# {}\n\n{}", variant.name, variant.document.toml()),
            })
            .collect();
        return Ok(texts.join("\n"));
    }
    if let Some(text) = builtin(name) {
        return Ok(text.to_string());
    }
    if let Some(policy) = policies::find(name) {
        return Ok(policy_file(
            policy.name(),
            policy.summary(),
            &policy.knobs(),
        ));
    }
    if let Some(kind) = faults::find(name) {
        return Ok(format!("{name}: {}\n", kind.summary()));
    }
    if let Some(sli) = slis::find(name) {
        return Ok(format!("{name}: {}\n", sli.summary()));
    }
    let names = builtins().iter().map(|b| b.name);
    let names = names.chain(policies::all().iter().map(|p| p.name()));
    let names = names.chain(faults::all().iter().map(|f| f.name()));
    let names = names.chain(slis::all().iter().map(|s| s.name()));
    let hint = match nearest(name, names) {
        Some(near) => format!("did you mean {near}?"),
        None => "darkregion list names all that is built in".to_string(),
    };
    Err(Failure::input(
        format!("nothing is called {name:.60?}"),
        hint,
    ))
}

/// The inputs of one variant.
struct Inputs {
    variant: String,
    all: Vec<Input>,
}

/// What is known of inputs that nobody measured, in the order of what is shown.
const UNSOURCED: [(&str, Origin); 2] = [("fitted", Origin::Fitted), ("guesses", Origin::Guess)];

impl Inputs {
    fn of(&self, origin: Origin) -> impl Iterator<Item = &Input> {
        self.all.iter().filter(move |input| input.origin == origin)
    }

    fn head(&self) -> String {
        format!(
            "{}: {} of {} inputs are guesses, {} fitted",
            self.variant,
            self.of(Origin::Guess).count(),
            self.all.len(),
            self.of(Origin::Fitted).count()
        )
    }
}

/// The inputs of a scenario's variants.
fn guesses(argument: &str, overlays: &Overlays) -> Result<Vec<Inputs>, Failure> {
    let variants = variants(&source(argument)?, overlays)?.into_iter();
    let inputs = variants.map(|variant| Inputs {
        all: variant.document.scenario().inputs.clone(),
        variant: variant.name,
    });
    Ok(inputs.collect())
}

/// The inputs of a scenario that are guesses or fitted.
fn guesses_text(variants: &[Inputs]) -> String {
    let mut text = String::new();
    for inputs in variants {
        let _ = writeln!(text, "{}", inputs.head());
        for (heading, origin) in UNSOURCED {
            if inputs.of(origin).next().is_some() {
                let _ = writeln!(text, "\n{heading}:");
            }
            inputs.of(origin).for_each(|input| line(&mut text, input));
        }
    }
    text
}

fn guesses_json(variants: &[Inputs]) -> Result<Vec<u8>, Failure> {
    let input = |input: &Input| serde_json::json!({ "path": input.path, "value": input.value, "note": input.note });
    let variants = variants.iter().map(|inputs| {
        let of = |origin| -> Vec<serde_json::Value> { inputs.of(origin).map(input).collect() };
        serde_json::json!({
            "name": inputs.variant,
            "inputs": inputs.all.len(),
            "guesses": of(Origin::Guess),
            "fitted": of(Origin::Fitted),
        })
    });
    let variants: Vec<serde_json::Value> = variants.collect();
    format::json(&serde_json::json!({ "variants": variants }))
}

fn guesses_markdown(variants: &[Inputs]) -> String {
    let mut text = String::new();
    for inputs in variants {
        let _ = writeln!(text, "## {}\n", inputs.head());
        text.push_str(&format::head(&["", "path", "value", "note"]));
        for (heading, origin) in UNSOURCED {
            for input in inputs.of(origin) {
                let cells = [
                    heading.trim_end_matches("es"),
                    &input.path,
                    &input.value,
                    &input.note,
                ];
                text.push_str(&format::row(&cells));
            }
        }
        text.push('\n');
    }
    text
}

fn line(text: &mut String, input: &Input) {
    let _ = write!(text, "  {} = {}", input.path, input.value);
    if !input.note.is_empty() {
        let _ = write!(text, "  # {}", input.note);
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Document, Layer};

    #[test]
    fn a_shown_scenario_with_something_over_it_can_be_loaded_again() {
        let overlays = Overlays {
            set: vec!["service.*.dark=0.25".into()],
            ..Overlays::default()
        };
        let text = shown("chaos-kong", &overlays).unwrap();
        let file = Layer::file("chaos-kong", &text, None);
        let document = Document::load("chaos-kong", file, None, Vec::new());
        let document = document.unwrap_or_else(|e| panic!("{e}"));
        assert!(document.scenario().services.iter().all(|s| s.dark == 0.25));
    }

    #[test]
    fn what_is_not_there_is_said_with_what_is_near() {
        let Err(Failure::Input(problems)) = shown("flow-drak", &Overlays::default()) else {
            panic!("nothing is called so");
        };
        assert_eq!(problems.0[0].hint, "did you mean flow-dark?");
    }
}
