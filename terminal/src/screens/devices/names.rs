//! Short names of readers for a narrow column: what tells one from another stays. Pure.
use std::collections::{BTreeMap, BTreeSet};

/// Most letters of a short name.
pub(super) const MAX_NAME: usize = 20;

/// Folders that say nothing of the port in them, the longest first.
const FOLDERS: [&str; 3] = ["/dev/serial/by-id/", "/dev/serial/by-path/", "/dev/"];

/// A short name for each of these readers: the whole one without its folder, or without its middle, or, where these are
/// the same, the part by which they differ.
pub(super) fn short<'n>(names: impl IntoIterator<Item = &'n str>) -> BTreeMap<&'n str, String> {
    let names: BTreeSet<&str> = names.into_iter().collect();
    let mut found = BTreeMap::new();
    for (short, same) in grouped(&names.into_iter().collect::<Vec<_>>(), |_, name| without_middle(name)) {
        match same[..] {
            [name] => drop(found.insert(name, short)),
            _ => apart(&same, &mut found),
        }
    }
    number_the_same(&mut found);
    found
}

/// Names that look the same after all get a number: those that differ at several places far from each other.
fn number_the_same(found: &mut BTreeMap<&str, String>) {
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    found.values().for_each(|short| *times.entry(short.clone()).or_default() += 1);
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    for short in found.values_mut().filter(|short| times.get(*short).is_some_and(|times| *times > 1)) {
        let number = numbers.entry(short.clone()).or_default();
        *number += 1;
        *short = format!("{number}: {short}");
    }
}

/// Names by what is made of them.
fn grouped<'n>(names: &[&'n str], make: impl Fn(usize, &str) -> String) -> BTreeMap<String, Vec<&'n str>> {
    let mut groups: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (n, name) in names.iter().enumerate() {
        groups.entry(make(n, name)).or_default().push(name);
    }
    groups
}

fn plain(name: &str) -> Vec<char> {
    let name = FOLDERS.iter().find_map(|folder| name.strip_prefix(folder)).unwrap_or(name);
    name.chars().collect()
}

fn without_middle(name: &str) -> String {
    let letters = plain(name);
    if letters.len() <= MAX_NAME {
        return letters.into_iter().collect();
    }
    let half = (MAX_NAME - 1) / 2;
    let (begin, end) = (&letters[..half], &letters[letters.len() - half..]);
    begin.iter().chain(&['…']).chain(end).collect()
}

/// Names that look the same, by the part in which they differ; those that still do by their next difference.
fn apart<'n>(names: &[&'n str], found: &mut BTreeMap<&'n str, String>) {
    let all: Vec<Vec<char>> = names.iter().map(|name| plain(name)).collect();
    let shortest = all.iter().map(Vec::len).min().unwrap_or_default();
    let same = |at: &dyn Fn(&Vec<char>) -> Option<char>| all.windows(2).all(|two| at(&two[0]) == at(&two[1]));
    let before = (0..shortest).take_while(|n| same(&|letters| letters.get(*n).copied())).count();
    let behind = (0..shortest - before)
        .take_while(|n| {
            same(&|letters| letters.len().checked_sub(n + 1).and_then(|at| letters.get(at).copied()))
        })
        .count();
    for (short, same) in grouped(names, |n, _| around(&all[n], before, all[n].len() - behind)) {
        match same[..] {
            [name] => drop(found.insert(name, short)),
            // A part of them is fewer names, and these agree further.
            _ if same.len() < names.len() => apart(&same, found),
            _ => found.extend(same.iter().map(|name| (*name, short.clone()))),
        }
    }
}

/// The letters `from..to`, or as many of them as have room, with some of what stands around them.
fn around(letters: &[char], from: usize, to: usize) -> String {
    let room = MAX_NAME - 2;
    let to = to.min(from + room);
    let more = room - (to - from);
    let after = (letters.len() - to).min(more / 2);
    let before = from.min(more - after);
    let after = (letters.len() - to).min(more - before);
    let (from, to) = (from - before, to + after);
    let dots = |cut: bool| if cut { "…" } else { "" };
    let shown: String = letters[from..to].iter().collect();
    format!("{}{shown}{}", dots(from > 0), dots(to < letters.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(names: &[&str]) -> Vec<String> {
        let short = short(names.iter().copied());
        let shown: Vec<String> = names.iter().map(|name| short[name].clone()).collect();
        let different: BTreeSet<&String> = shown.iter().collect();
        assert_eq!(different.len(), names.len(), "{shown:?}");
        assert!(shown.iter().all(|name| name.chars().count() <= MAX_NAME + 3), "{shown:?}");
        shown
    }

    #[test]
    fn a_name_is_whole_or_without_its_middle() {
        assert_eq!(all(&["/dev/ttyUSB0", "样机"]), ["ttyUSB0", "样机"]);
        let readers = ["Jinban virtual SAM_V (simulator) 00 00", "Jinban virtual SAM_V (simulator) 01 00"];
        assert_eq!(all(&readers), ["Jinban vi…or) 00 00", "Jinban vi…or) 01 00"]);
        assert_eq!(all(&["样".repeat(40).as_str()])[0].chars().count(), MAX_NAME - 1);
        assert_eq!(all(&["", "/dev/"]).len(), 2);
    }

    #[test]
    fn adapters_of_a_model_are_told_by_their_serial_numbers_and_ports_by_their_path() {
        let adapters = [
            "/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A50285BI-if00-port0",
            "/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A50285BJ-if00-port0",
        ];
        assert_eq!(all(&adapters), ["…T_A50285BI-if00-po…", "…T_A50285BJ-if00-po…"]);
        let ports = [
            "/dev/serial/by-path/pci-0000:00:14.0-usb-0:2:1.0-port0",
            "/dev/serial/by-path/pci-0000:00:14.0-usb-0:11:1.0-port0",
        ];
        assert_eq!(all(&ports), ["….0-usb-0:2:1.0-por…", "…0-usb-0:11:1.0-por…"]);
    }

    #[test]
    fn names_that_differ_at_two_places_far_from_each_other_stay_apart() {
        let far = |a: &str, b: &str| format!("usb-{a}_Serial_Adapter_With_A_Long_Name_{b}-if00-port0");
        let names = [far("Acme", "0001"), far("Acme", "0002"), far("Best", "0001"), far("Best", "0002")];
        all(&names.each_ref().map(String::as_str));
        let grown = ["A".repeat(60), "A".repeat(61), "A".repeat(62)];
        all(&grown.each_ref().map(String::as_str));
    }
}
