//! Masked forms of personal data for places where others may look: public screens, slips, staff lists.
//!
//! There is no national format; these are the widespread ones. Refuses to reveal more when a value has an odd
//! length: then it shows less.

/// Surnames of two characters, shown whole.
const COMPOUND_SURNAMES: [&str; 24] = [
    "欧阳", "司马", "上官", "诸葛", "东方", "皇甫", "尉迟", "公孙", "令狐", "慕容", "司徒", "司空", "夏侯",
    "轩辕", "长孙", "宇文", "端木", "南宫", "独孤", "闻人", "万俟", "澹台", "淳于", "申屠",
];

/// Signs between the parts of a name.
const NAME_DOTS: [char; 4] = ['·', '•', '．', '・'];

/// `张*`, `王*明`, `欧阳**`, `扎西·**`: surname and stars; three-character names keep the last character,
/// compound surnames stay whole, dotted names keep their first part.
pub fn mask_name(name: &str) -> String {
    let name = name.trim();
    if let Some((first, rest)) = name.split_once(NAME_DOTS) {
        return format!("{first}·{}", stars(rest.chars().count()));
    }
    let chars: Vec<char> = name.chars().collect();
    let compound = COMPOUND_SURNAMES.iter().find(|surname| name.starts_with(**surname));
    match (compound, chars.as_slice()) {
        (_, []) => String::new(),
        (_, [_]) => "*".to_owned(),
        (Some(surname), all) if all.len() > 2 => format!("{surname}{}", stars(all.len() - 2)),
        (_, [first, _, last]) => format!("{first}*{last}"),
        (_, [first, rest @ ..]) => format!("{first}{}", stars(rest.len())),
    }
}

/// `6399**********15`: the form for a public screen, 4 + 2.
pub fn mask_id_public(id_number: &str) -> String {
    keep(id_number, 4, 2, 12)
}

/// `639900********0015`: the form for staff lists, 6 + 4.
pub fn mask_id_staff(id_number: &str) -> String {
    keep(id_number, 6, 4, 8)
}

/// `138****0013`: 3 + 4.
pub fn mask_phone(phone: &str) -> String {
    keep(phone, 3, 4, 4)
}

/// `****5678`: the last 4 only.
pub fn mask_bank_card(number: &str) -> String {
    let digits: String = number.chars().filter(|c| !c.is_whitespace()).collect();
    keep(&digits, 0, 4, 4)
}

/// The address up to the street; house numbers are hidden.
pub fn mask_address(address: &str) -> String {
    let chars: Vec<char> = address.trim().chars().collect();
    let number = chars.iter().position(|c| c.is_numeric() || ('０'..='９').contains(c));
    let street = chars.iter().rposition(|c| "路街道巷镇乡村".contains(*c)).map(|at| at + 1);
    let end = match (number, street) {
        (Some(number), Some(street)) => number.min(street),
        (Some(at), None) | (None, Some(at)) => at,
        (None, None) => chars.len().min(6),
    };
    if chars.is_empty() { String::new() } else { format!("{}***", chars[..end].iter().collect::<String>()) }
}

/// Keeps some characters at both ends if at least as many lie between them; otherwise nothing is shown.
fn keep(text: &str, head: usize, tail: usize, hidden: usize) -> String {
    let chars: Vec<char> = text.trim().chars().collect();
    if chars.len() < head + tail + 2 {
        return stars(chars.len());
    }
    let hidden = if head == 0 { hidden } else { chars.len() - head - tail };
    let (first, last) = (&chars[..head], &chars[chars.len() - tail..]);
    format!("{}{}{}", first.iter().collect::<String>(), stars(hidden), last.iter().collect::<String>())
}

fn stars(count: usize) -> String {
    "*".repeat(count.min(30))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let table = [
            ("张三", "张*"),
            ("王小明", "王*明"),
            ("王小明月", "王***"),
            ("欧阳锋", "欧阳*"),
            ("司马相如", "司马**"),
            ("欧阳", "欧*"),
            ("扎西·多吉", "扎西·**"),
            ("阿卜杜拉•买买提", "阿卜杜拉·***"),
            ("𠅤𬀩", "𠅤*"),
            ("李", "*"),
            ("  ", ""),
        ];
        for (name, masked) in table {
            assert_eq!(mask_name(name), masked, "{name}");
        }
    }

    #[test]
    fn numbers_and_addresses() {
        assert_eq!(mask_id_public("639900194403150015"), "6399************15");
        assert_eq!(mask_id_staff("639900194403150015"), "639900********0015");
        assert_eq!(mask_phone("13800000013"), "138****0013");
        assert_eq!(mask_phone("12345"), "*****");
        assert_eq!(mask_bank_card("6200 0000 0000 0005"), "****0005");
        assert_eq!(mask_bank_card("0005"), "****");
        assert_eq!(mask_address("青海省西宁市城东区东关大街129号2单元"), "青海省西宁市城东区东关大街***");
        assert_eq!(mask_address("样例区样例街道样例小区"), "样例区样例街道***");
        assert_eq!(mask_address("某某小区甲座五单元"), "某某小区甲座***");
        assert_eq!(mask_address(""), "");
    }

    #[test]
    fn no_masked_form_holds_the_middle() {
        let id = "639900194403150015";
        for masked in [mask_id_public(id), mask_id_staff(id)] {
            assert!(!masked.contains("19440315"), "{masked}");
        }
    }
}
