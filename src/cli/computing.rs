//! In which fidelity a run is computed, and how much of the scenario.

use crate::model::fidelity::Fidelity;
use crate::study::Variant;

/// Flags of how traffic is computed.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct Computing {
    /// What moves: counted cohorts, or every session and request on its own [default: cohort]
    #[arg(long, value_name = "FIDELITY", value_parser = fidelity)]
    pub fidelity: Option<Fidelity>,
    /// Shrink rates, sessions and capacities together, such as 1/1000
    #[arg(long, value_name = "SHARE", value_parser = scale)]
    pub scale: Option<f64>,
}

impl Computing {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        self.fidelity.is_none() && self.scale.is_none()
    }

    /// Variants as they are computed.
    pub fn of(&self, variants: Vec<Variant>) -> Vec<Variant> {
        if self.is_empty() {
            return variants;
        }
        let (fidelity, scale) = (self.fidelity.unwrap_or_default(), self.scale.unwrap_or(1.0));
        let computed = |variant: Variant| Variant {
            document: variant.document.computed(fidelity, scale),
            ..variant
        };
        variants.into_iter().map(computed).collect()
    }
}

fn fidelity(text: &str) -> Result<Fidelity, String> {
    let all = [Fidelity::Cohort, Fidelity::Request];
    let known = all.into_iter().find(|fidelity| fidelity.name() == text);
    known.ok_or_else(|| "it is cohort or request".to_string())
}

/// `1/1000`, `0.001` or `0.1 %`.
pub fn scale(text: &str) -> Result<f64, String> {
    let number = |text: &str| text.trim().parse::<f64>().ok();
    let value = match (text.split_once('/'), text.strip_suffix('%')) {
        (Some((part, whole)), _) => number(part).zip(number(whole)).map(|(a, b)| a / b),
        (None, Some(percent)) => number(percent).map(|share| share / 100.0),
        (None, None) => number(text),
    };
    match value {
        Some(share) if share > 0.0 && share <= 1.0 => Ok(share),
        _ => Err("it is a share above 0 and at most 1, such as 1/1000".to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_is_a_share() {
        for (text, share) in [("1/1000", 0.001), ("0.25", 0.25), ("50 %", 0.5), ("1", 1.0)] {
            assert_eq!(scale(text), Ok(share), "{text}");
        }
        for wrong in ["0", "2", "1/0", "-1/2", "nan", "many", ""] {
            assert!(scale(wrong).is_err(), "{wrong}");
        }
    }
}
