//! Names of inputs and ids of a drawn form: a path of an answer, and for regions and addresses a part of it.
//!
//! `rent`, `home.region`, `children[2].name`, `children[2].home.2` (the second list of a region). Keys hold only
//! `a-z 0-9 _`, so nothing can be mixed up. Refuses every other name.

/// What an input stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Path of the answer.
    pub path: String,
    /// Which part of it.
    pub part: Part,
}

/// A part of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The answer itself.
    Whole,
    /// The list of a level of regions, from 1; the answer is the region chosen in the last one.
    Level(usize),
    /// Street and house number of an address.
    Detail,
}

/// Lists of regions, one below the other, at most.
pub const MAX_LEVELS: usize = 4;

impl Place {
    /// The place of an input's name.
    pub fn read(name: &str) -> Option<Self> {
        let key_from = name.find("].").map_or(0, |at| at + 2);
        let (key, part) = match name.get(key_from..)?.split_once('.') {
            None => (name, Part::Whole),
            Some((key, part)) => (name.get(..key_from + key.len())?, Self::part(part)?),
        };
        Some(Self { path: key.to_owned(), part })
    }

    fn part(text: &str) -> Option<Part> {
        match text {
            "detail" => Some(Part::Detail),
            level => {
                let level = level.parse().ok().filter(|level| (1..=MAX_LEVELS).contains(level))?;
                Some(Part::Level(level))
            }
        }
    }
}

/// The key of the field at a path.
pub fn key_of(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

/// The repeat group in which a path lies.
pub fn rows_of(path: &str) -> Option<&str> {
    path.split_once('[').map(|(rows, _)| rows)
}

/// The id of what a path names: `f-children-2-name`.
pub fn id_of(path: &str) -> String {
    let mut id = String::from("f-");
    for sign in path.chars() {
        match sign {
            '[' | '.' => id.push('-'),
            ']' => {}
            sign => id.push(sign),
        }
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_to_their_answers() {
        let table = [
            ("rent", Some(("rent", Part::Whole))),
            ("home.detail", Some(("home", Part::Detail))),
            ("home.3", Some(("home", Part::Level(3)))),
            ("children[2].name", Some(("children[2].name", Part::Whole))),
            ("children[2].home.detail", Some(("children[2].home", Part::Detail))),
            ("children[2].home.1", Some(("children[2].home", Part::Level(1)))),
            ("home.0", None),
            ("home.5", None),
            ("home.x", None),
            ("home.detail.more", None),
        ];
        for (name, wanted) in table {
            let place = Place::read(name);
            let found = place.as_ref().map(|place| (place.path.as_str(), place.part));
            assert_eq!(found, wanted, "{name}");
        }
        assert_eq!(id_of("children[2].name"), "f-children-2-name");
        assert_eq!((key_of("children[2].name"), key_of("rent")), ("name", "rent"));
        assert_eq!((rows_of("children[2].name"), rows_of("rent")), (Some("children"), None));
    }
}
