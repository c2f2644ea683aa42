//! What a device can be asked for, from `scanimage -A`: every back end names its sources and modes in its own words.
//!
//! Refuses to guess a name that the device does not list: what is not there is left out, and the device does as it likes.
use super::{ScanOrder, Source};

/// Choices of an option, at most.
const MAX_CHOICES: usize = 64;
/// Size of a page of A4 in millimetres.
const A4: (u16, u16) = (210, 297);

/// Names that a device lists; an empty list where it has no such option.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Options {
    sources: Vec<String>,
    modes: Vec<String>,
    dpi: Dpi,
    /// Width and height of the largest area, in whole millimetres.
    area: (Option<u16>, Option<u16>),
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Dpi {
    #[default]
    None,
    List(Vec<u16>),
    Range(u16, u16),
}

impl Options {
    /// Reads what `scanimage -A` says.
    pub(super) fn read(said: &str) -> Self {
        let mut found = Self::default();
        for line in said.lines().map(str::trim) {
            let Some((name, rest)) = line.split_once(' ') else { continue };
            // An option that cannot be set now, such as one that hangs on another.
            if rest.ends_with("[inactive]") || rest.ends_with("[read-only]") {
                continue;
            }
            match name {
                "--source" => found.sources = choices(rest),
                "--mode" => found.modes = choices(rest),
                "--resolution" => found.dpi = dpi(rest),
                "-x" => found.area.0 = upper(rest),
                "-y" => found.area.1 = upper(rest),
                _ => {}
            }
        }
        found
    }

    /// Whether paper can lie there.
    pub(super) fn has(&self, source: Source) -> bool {
        match source {
            Source::Glass => self.sources.is_empty() || self.source(Source::Glass).is_some(),
            Source::Feeder => self.source(Source::Feeder).is_some(),
        }
    }

    /// Arguments for an order.
    pub(super) fn arguments(&self, order: &ScanOrder) -> Vec<String> {
        let mut found = Vec::new();
        if let Some(source) = self.source(order.source) {
            found.push(format!("--source={source}"));
        }
        let color = if order.color { &["color", "colour"][..] } else { &["gray", "grey"][..] };
        if let Some(mode) = named(&self.modes, color, &[]) {
            found.push(format!("--mode={mode}"));
        }
        if let Some(dpi) = self.dpi.nearest(order.dpi) {
            found.push(format!("--resolution={dpi}"));
        }
        // A feeder's page ends by itself, and glass may be larger than a page.
        let sides = [("-x", self.area.0, A4.0), ("-y", self.area.1, A4.1)];
        for (name, most, page) in sides {
            if let Some(most) = most {
                found.extend([name.to_owned(), most.min(page).to_string()]);
            }
        }
        found
    }

    fn source(&self, source: Source) -> Option<&str> {
        match source {
            Source::Glass => named(&self.sources, &["flatbed", "platen", "glass", "normal"], &[]),
            // The back of a page would be a page of its own.
            Source::Feeder => named(&self.sources, &["feeder", "adf"], &["duplex", "back", "both"]),
        }
    }
}

impl Dpi {
    fn nearest(&self, wanted: u16) -> Option<u16> {
        match self {
            Self::None => None,
            Self::Range(low, high) => Some(wanted.clamp(*low, (*high).max(*low))),
            Self::List(list) => list.iter().copied().min_by_key(|dpi| dpi.abs_diff(wanted)),
        }
    }
}

/// The first name with one of these words and none of those.
fn named<'a>(names: &'a [String], words: &[&str], without: &[&str]) -> Option<&'a str> {
    let fits = |name: &&String| {
        let name = name.to_lowercase();
        words.iter().any(|word| name.contains(word)) && !without.iter().any(|word| name.contains(word))
    };
    names.iter().find(fits).map(String::as_str)
}

/// `A|B|C [A]`
fn choices(rest: &str) -> Vec<String> {
    let list = rest.rsplit_once(" [").map_or(rest, |(list, _)| list);
    list.split('|').take(MAX_CHOICES).map(|name| name.trim().to_owned()).collect()
}

/// `75|150|300dpi [75]` or `1..1200dpi (in steps of 1) [50]`
fn dpi(rest: &str) -> Dpi {
    let word = rest.split_whitespace().next().unwrap_or_default();
    if let Some((low, high)) = word.split_once("..") {
        return match (whole(low), whole(high)) {
            (Some(low), Some(high)) => Dpi::Range(low, high),
            _ => Dpi::None,
        };
    }
    let list: Vec<u16> = word.split('|').take(MAX_CHOICES).filter_map(whole).collect();
    if list.is_empty() { Dpi::None } else { Dpi::List(list) }
}

/// `0..215.9mm (in steps of 0.1) [215.9]`: the upper end, rounded down.
fn upper(rest: &str) -> Option<u16> {
    whole(rest.split_whitespace().next()?.split_once("..")?.1)
}

/// The number that a word begins with, rounded down.
fn whole(word: &str) -> Option<u16> {
    let digits = word.find(|c: char| !c.is_ascii_digit()).unwrap_or(word.len());
    word[..digits].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: ScanOrder = ScanOrder { source: Source::Feeder, dpi: 300, color: true, pages: 20 };

    #[test]
    fn the_names_of_several_back_ends_are_understood() {
        let table = [
            (
                "  --mode Gray|Color [Gray]\n  --resolution 1..1200dpi (in steps of 1) [0.000762939]\n  \
                 --source Flatbed|Automatic Document Feeder [Flatbed]\n  -x 0..200mm (in steps of 1) [80]\n  \
                 -y 0..200mm (in steps of 1) [100]",
                "--source=Automatic Document Feeder --mode=Color --resolution=300 -x 200 -y 200",
            ),
            (
                "  --mode Lineart|Halftone|Gray|24bit Color[Fast] [24bit Color[Fast]]\n  --source FlatBed|ADF \
                 Duplex|ADF [FlatBed]\n  --resolution 100|150|200|400dpi [200]\n  -x 0..215.9mm [215.9]\n  -y \
                 0..355.6mm [297]",
                "--source=ADF --mode=24bit Color[Fast] --resolution=200 -x 210 -y 297",
            ),
            ("  --source ADF Duplex|ADF Back [ADF Duplex]\n  --mode Gray [inactive]", ""),
            ("no options", ""),
        ];
        for (said, arguments) in table {
            assert_eq!(Options::read(said).arguments(&ORDER).join(" "), arguments, "{said}");
        }
    }

    #[test]
    fn a_device_without_a_choice_of_sources_has_only_its_glass() {
        let plain = Options::read("  --mode Gray [Gray]");
        assert!(plain.has(Source::Glass) && !plain.has(Source::Feeder));
        let feeder = Options::read("  --source ADF Front|ADF Duplex [ADF Front]");
        assert!(!feeder.has(Source::Glass) && feeder.has(Source::Feeder));
    }

    #[test]
    fn anything_can_be_said_and_nothing_breaks() {
        for said in
            ["--source", "--source |||", "--resolution ..dpi", "-x ..", "--resolution 99999999..1dpi", "\0"]
        {
            Options::read(said).arguments(&ORDER);
        }
    }
}
