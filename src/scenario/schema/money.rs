//! Prices, and the error budget.

use crate::model::money::{Budget, Prices};
use crate::scenario::default::{guess, setting, sourced};
use crate::scenario::quantity::Unit;
use crate::scenario::reader::Range;
use crate::scenario::section::Section;

const ON_DEMAND: &str = "c5.xlarge in us-east-1, Linux: 124.10 USD for a month of 730 h, \
     https://www.qloudx.com/understanding-ec2-pricing-models/";
const TRANSFER: &str = "between regions of the United States, \
     https://www.redresscompliance.com/aws-inter-region-transfer-costs-multiregion.html";
const BURN_RATES: &str = "alerts on several burn rates and windows, \
     https://sre.google/workbook/alerting-on-slos/";

const PRICE: Range = Range::new(0.0, 1e9);

/// The prices.
pub fn prices(mut section: Section) -> Prices {
    Prices {
        reserved_per_hour: section.quantity(
            "reserved",
            guess("0.107 USD/h"),
            Unit::UsdPerHour,
            PRICE,
        ),
        on_demand_per_hour: section.quantity(
            "on_demand",
            sourced("0.17 USD/h", ON_DEMAND),
            Unit::UsdPerHour,
            PRICE,
        ),
        storage_per_gb_month: section.quantity(
            "storage",
            guess("0.08 USD/GB/month"),
            Unit::UsdPerGbMonth,
            PRICE,
        ),
        transfer_per_gb: section.quantity(
            "transfer",
            sourced("0.02 USD/GB", TRANSFER),
            Unit::UsdPerGb,
            PRICE,
        ),
        stored_gb: section.number("stored_gb", setting("0"), Range::new(0.0, 1e15)),
        failed_start: given(&mut section, "failed_start"),
        viewer_minute: given(&mut section, "viewer_minute"),
    }
}

/// A value that nobody can guess.
fn given(section: &mut Section, key: &'static str) -> Option<f64> {
    let there = section.has(key);
    let value = section.quantity(key, setting("0 USD"), Unit::Usd, PRICE);
    there.then_some(value)
}

/// The price of a service's own kind of instance.
pub fn price(section: &mut Section) -> Option<f64> {
    let there = section.has("price");
    let value = section.quantity("price", setting("0 USD/h"), Unit::UsdPerHour, PRICE);
    there.then_some(value)
}

/// The error budget.
pub fn budget(mut section: Section) -> Budget {
    let rate = Range::positive(1e9);
    let budget = Budget {
        target: section.share("target", guess("99.99 %"), Range::new(0.0, 0.999_999_999)),
        window: section.span("window", setting("30d"), Range::SOME_SPAN),
        short: section.span("short", sourced("5min", BURN_RATES), Range::SOME_SPAN),
        long: section.span("long", sourced("1h", BURN_RATES), Range::SOME_SPAN),
        elevated: section.number("elevated", sourced("1", BURN_RATES), rate),
        high: section.number("high", sourced("6", BURN_RATES), rate),
        critical: section.number("critical", sourced("14.4", BURN_RATES), rate),
    };
    if budget.long < budget.short {
        section.wrong(
            "long",
            "the long window is shorter than the short one",
            "make it at least as long as `short`",
        );
    }
    if budget.high < budget.elevated || budget.critical < budget.high {
        section.wrong(
            "critical",
            "the levels do not rise",
            "elevated, high and critical must not fall, such as 1, 6 and 14.4",
        );
    }
    budget
}
