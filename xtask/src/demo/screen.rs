//! What the story sees and touches: elements found by the words that people read, taps at their places, pictures.
//!
//! Refuses shortcuts: nothing is sent to the program but pointer input, nothing is known but its accessible tree.
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::accessibility::{Element, Reader, Role};
use super::display::Display;
use super::phrase::Phrase;
use super::pointer::Pointer;
use crate::process::{Interrupt, wait_until};

/// What a drawn frame may take after the tree has told of it, on a busy machine without a graphics card.
const SETTLE: std::time::Duration = std::time::Duration::from_millis(400);

/// How long anything may take to appear.
const PATIENCE: Duration = Duration::from_secs(30);
/// Names that an error repeats at most.
const MOST_NAMES: usize = 60;

/// The terminal's screen.
pub struct Screen<'a> {
    reader: Reader,
    pointer: Pointer,
    display: &'a Display,
    folder: &'a Path,
    interrupt: &'a Interrupt,
    pictures: Vec<String>,
}

impl<'a> Screen<'a> {
    /// What is shown on a virtual display; pictures go to `folder`.
    ///
    /// # Errors
    /// If there is no virtual display.
    pub fn new(
        reader: Reader,
        display: &'a Display,
        folder: &'a Path,
        interrupt: &'a Interrupt,
    ) -> Result<Self> {
        let name = display.name().context("the story needs a virtual screen")?;
        let pointer = Pointer::new(name);
        Ok(Self { reader, pointer, display, folder, interrupt, pictures: Vec::new() })
    }

    /// Waits until something is on the screen.
    ///
    /// # Errors
    /// If it does not come; the error names what is there instead.
    pub fn see(&self, phrase: &Phrase) -> Result<Element> {
        self.wait_for(&format!("\"{phrase}\""), |elements| {
            elements.iter().find(|e| phrase.matches(&e.name)).cloned()
        })
    }

    /// Waits until nothing on the screen has these words any more.
    ///
    /// # Errors
    /// If it stays.
    pub fn gone(&self, phrase: &Phrase) -> Result<()> {
        let still_there = |elements: &[Element]| elements.iter().any(|e| phrase.matches(&e.name));
        self.wait_for(&format!("the end of \"{phrase}\""), |elements| (!still_there(elements)).then_some(()))
    }

    /// Taps a choice and waits until it is marked.
    ///
    /// # Errors
    /// As [`Screen::tap`], and if it is not marked.
    pub fn choose(&self, phrase: &Phrase) -> Result<()> {
        self.tap(phrase)?;
        self.wait_for(&format!("the mark at \"{phrase}\""), |elements| {
            elements.iter().any(|e| e.chosen && phrase.matches(&e.name)).then_some(())
        })
    }

    /// Waits until the elements are as wanted.
    ///
    /// # Errors
    /// As [`Screen::see`].
    pub fn wait_for<T>(&self, what: &str, mut wanted: impl FnMut(&[Element]) -> Option<T>) -> Result<T> {
        let mut last = Vec::new();
        let found = wait_until(PATIENCE, self.interrupt, || {
            // While the window process is being replaced the bus may have nothing to say.
            if let Ok(elements) = self.reader.elements() {
                let found = wanted(&elements);
                last = elements;
                return Ok(found);
            }
            Ok(None)
        })?;
        found.with_context(|| {
            format!("{what} did not appear within {} s; there was: {}", PATIENCE.as_secs(), names(&last))
        })
    }

    /// Taps the first control with these words, once it stands still.
    ///
    /// # Errors
    /// If it does not come, or the pointer fails.
    pub fn tap(&self, phrase: &Phrase) -> Result<()> {
        self.pointer.tap(self.still(phrase)?.area)
    }

    /// Draws strokes, given as shares of its width and height, into the first control with these words.
    ///
    /// # Errors
    /// As [`Screen::tap`].
    pub fn draw(&self, phrase: &Phrase, strokes: &[&[(f64, f64)]]) -> Result<()> {
        let control = self.still(phrase)?;
        strokes.iter().try_for_each(|stroke| self.pointer.stroke(control.area, stroke))
    }

    /// Saves a picture under the next number; gives its path.
    ///
    /// # Errors
    /// If it cannot be taken.
    pub fn photograph(&mut self, name: &str) -> Result<PathBuf> {
        self.pointer.rest()?;
        // The tree tells of a page before its pixels are drawn.
        std::thread::sleep(SETTLE);
        let file = format!("{:02}-{name}.png", self.pictures.len() + 1);
        let path = self.folder.join(&file);
        self.display.photograph(&path).with_context(|| format!("cannot save the picture {file}"))?;
        self.pictures.push(file);
        Ok(path)
    }

    /// Names of the pictures so far.
    pub fn pictures(&self) -> &[String] {
        &self.pictures
    }

    /// A control at the same place in two looks.
    fn still(&self, phrase: &Phrase) -> Result<Element> {
        let mut before = None;
        let control = self.wait_for(&format!("\"{phrase}\""), |elements| {
            let now = elements.iter().find(|e| is_control(e) && phrase.matches(&e.name))?;
            let still = before == Some(now.area);
            before = Some(now.area);
            still.then(|| now.clone())
        })?;
        if control.area.width <= 0 || control.area.height <= 0 {
            bail!("\"{phrase}\" has no place on the screen: {:?}", control.area);
        }
        Ok(control)
    }
}

/// Whether a finger has any business with it: plain words have none.
fn is_control(element: &Element) -> bool {
    element.enabled
        && !matches!(element.role, Role::Label | Role::Static | Role::Text | Role::Window | Role::Frame)
}

fn names(elements: &[Element]) -> String {
    let named: Vec<&str> = elements.iter().map(|e| e.name.as_str()).filter(|name| !name.is_empty()).collect();
    match named.as_slice() {
        [] => "nothing with a name".to_owned(),
        names => names[..names.len().min(MOST_NAMES)].join(" | "),
    }
}
