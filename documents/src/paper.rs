//! What stands on a slip (凭条), whatever it is printed on: words that are ready, and the text of its QR code.
//!
//! Refuses to know a person: there is no field for a name or an ID number.

/// A line with a caption and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Caption, such as 办理网点.
    pub caption: String,
    /// What it says.
    pub words: String,
}

/// A slip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paper {
    /// What this paper is.
    pub title: String,
    /// White on black below the title while the data are samples (样例).
    pub sample: Option<String>,
    /// What the number is.
    pub number_caption: String,
    /// The number, in the groups in which it is read aloud.
    pub number: Vec<String>,
    /// Below the number: that it was corrected.
    pub number_note: Option<String>,
    /// The item.
    pub item: String,
    /// What is true now, when, where.
    pub facts: Vec<Fact>,
    /// What happens next, and whom to ask.
    pub next: Vec<String>,
    /// Text of the QR code.
    pub code: String,
    /// What the code is for, and what does not stand in it.
    pub code_notes: Vec<String>,
    /// Last line: such as the time of this print.
    pub foot: String,
    /// Language of the words, such as `zh-CN`.
    pub language: String,
}
