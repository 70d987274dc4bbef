//! A site's profile as a table: what it changes, and how much better it fits.

use super::evaluation::{lines, number, shown, table as under};
use crate::model::Model;
use crate::model::profile::{Adjustment, Fit, Profile};
use crate::train::site::Fitted;
use crate::train::threshold::{Choice, FEWEST, FEWEST_FLAGGED};

/// The table of a profile, beside what `model` says without it, and one of the thresholds that were chosen for a precision. Ends in a
/// line feed.
pub fn table(profile: &Profile, model: &Model) -> String {
    let mut fits =
        under(["label", "rows", "positives", "base rate", "slope", "offset", "threshold", "ECE", "log loss"]);
    for (name, own) in &profile.labels {
        let head = model.manifest.labels.iter().find(|head| head.name == *name);
        let change = |before: Option<f64>, after: f64| format!("{} → {after:.3}", number(before));
        let fit = |figure: fn(&Fit) -> f64| match &own.before {
            Some(before) => format!("{:.3} → {}", figure(before), number(own.after.as_ref().map(figure))),
            None => number(None),
        };
        fits.add_row([
            shown(name),
            own.rows.to_string(),
            own.positives.map_or_else(|| number(None), |n| n.to_string()),
            change(head.map(|head| f64::from(head.base_rate)), own.base_rate),
            format!("{:.3}", own.slope),
            format!("{:+.3}", own.offset),
            change(head.map(|head| f64::from(head.threshold)), own.threshold),
            fit(|fit| fit.ece),
            fit(|fit| fit.log_loss),
        ]);
    }
    let mut out = format!("Profile for {}\n\n{}", shown(&profile.model), lines(fits));
    if profile.labels.values().any(|own| own.precision.is_some()) {
        out += "\n";
        out += &precisions(profile);
    }
    if profile.labels.values().any(|own| own.after.is_some()) {
        out += "\nECE and log loss: the model as it is → the profile on rows that it was not fitted on (10 folds).\n";
    }
    out
}

fn precisions(profile: &Profile) -> String {
    let mut table = under(["label", "wanted", "threshold", "flagged", "precision [95 %]", "held out", "recall [95 %]"]);
    for (name, own) in &profile.labels {
        let Adjustment { precision: Some(found), threshold, .. } = own else { continue };
        let with = |share: f64, (low, high): (f64, f64)| format!("{share:.3} [{low:.3}, {high:.3}]");
        table.add_row([
            shown(name),
            format!("{:.3}", found.wanted),
            format!("{threshold:.3}"),
            found.flagged.to_string(),
            with(found.precision, found.precision_interval),
            number(found.held_out),
            with(found.recall, found.recall_interval),
        ]);
    }
    lines(table)
}

/// What was asked for and could not be had, a line each.
pub fn notes(fitted: &[(String, Fitted)]) -> String {
    let note = |(name, fitted): &(String, Fitted)| {
        let name = shown(name);
        let (rows, positives) = (fitted.adjustment.rows, fitted.adjustment.positives.unwrap_or_default());
        let search = match fitted.search {
            Some(Choice::NotReached(Some(highest))) => Some(format!(
                "no threshold reaches the precision: the highest is {highest:.3}. Its threshold decides as before"
            )),
            Some(Choice::NotReached(None)) => {
                Some(format!("no threshold flags {FEWEST_FLAGGED} rows. Its threshold decides as before"))
            }
            Some(Choice::TooFew) => Some(format!(
                "too few rows for a precision: {positives} have it and {} do not, {FEWEST} of each are needed. Its threshold decides as before",
                rows - positives.min(rows)
            )),
            Some(Choice::Reached(_)) | None => None,
        };
        let slope = fitted.kept_slope.then(|| "too few rows for a slope of its own: kept the model's".to_owned());
        search.into_iter().chain(slope).map(move |what| format!("note: {name}: {what}\n"))
    };
    fitted.iter().flat_map(note).collect()
}
