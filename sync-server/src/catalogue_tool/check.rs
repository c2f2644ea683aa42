//! `catalogue check`: every mistake at once, then what looks wrong, then the counts.
use domain::catalogue::{Catalogue, Review};
use domain::text::visible;
use operator::exit::Exit;
use serde_json::json;

use super::arguments::CheckArgs;
use super::folder::{Contents, Files};
use super::source::Place;
use crate::answer::{say, say_json};
use crate::readings;

/// The most characters of a line.
const MAX_CHARS: usize = 500;

pub(super) fn run(args: &CheckArgs, place: Place<'_>) -> anyhow::Result<Exit> {
    let (review, lacking) = review(args.source.contents(place)?);
    let sound = review.errors.is_empty();
    if args.json {
        say_json(&json!({
            "sound": sound, "summary": review.summary(), "errors": review.errors, "warnings": review.warnings,
            "allowed": review.allowed, "uncollected": review.uncollected,
            "lacking_readings": lacking.keys().collect::<Vec<_>>(),
        }))?;
    } else {
        say(&written(&review, &lacking, args.all))?;
    }
    Ok(if sound { Exit::Ok } else { Exit::Failure })
}

/// The review of a folder with the readings that `build` would make, and the files that lack them.
fn review(mut contents: Contents) -> (Review, Files) {
    let filled = readings::fill(&contents.files);
    let lacking = filled.changed.clone();
    contents.files.extend(filled.changed);
    let mut review = Catalogue::review(&contents.files, filled.warnings);
    review.errors.retain(|error| !contents.is_told(error));
    review.errors.splice(0..0, contents.faults);
    (review, lacking)
}

fn written(review: &Review, lacking: &Files, all: bool) -> String {
    let mut text = String::new();
    let mut line = |kind: &str, said: String| {
        text.push_str(&format!("{kind} {}\n", visible(&said, MAX_CHARS)));
    };
    review.errors.iter().for_each(|error| line("error", error.to_string()));
    review.warnings.iter().for_each(|warning| line("warning", warning.to_string()));
    for allowed in review.allowed.iter().filter(|_| all) {
        line("allowed", format!("{}: {}", allowed.warning, allowed.because));
    }
    if !lacking.is_empty() {
        let files = lacking.keys().take(5).cloned().collect::<Vec<_>>().join(", ");
        line(
            "note",
            format!("{} files lack readings, which `catalogue build` makes: {files}", lacking.len()),
        );
    }
    text + &review.summary() + "\n"
}
