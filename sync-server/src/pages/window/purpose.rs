//! What a form at a window is for: opening a case, or adding what a case waits for.
use domain::case::Want;
use domain::form::FieldError;
use domain::ids::EnvelopeId;
use domain::text::{Language, Text};

use crate::centre::Centre;
use crate::error::ServiceError;
use crate::moments::last_moment;
use crate::pages::called;
use crate::pages::form_drawing::of_error;
use crate::services::Context;
use crate::services::supplementing::{self, Asked, NotAsked, Sheet};
use crate::words::Words;

/// See the module.
pub enum Purpose {
    /// It opens a case.
    Case,
    /// It adds to a case.
    Supplement(Box<Adding>),
    /// It would add to a case that waits for nothing any more.
    Over(NotAsked),
}

/// A supplement in the making. Never printed: it is opened.
pub struct Adding {
    /// What the case waits for.
    pub asked: Asked,
    /// The same as a form.
    pub sheet: Sheet,
}

/// What is asked for, in words.
pub struct AskedView {
    /// The number of the case.
    pub number: String,
    /// Until when.
    pub until: String,
    /// How many things.
    pub count: String,
    /// Each thing, and what is wrong with it.
    pub wants: Vec<(String, String)>,
    /// What people wrote with it.
    pub words: Vec<String>,
    /// Something of it cannot be filled in here.
    pub elsewhere: Vec<String>,
}

impl Adding {
    /// What a case waits for as a form, or why there is none.
    ///
    /// # Errors
    /// [`ServiceError`] if the store fails, or something does not open any more.
    pub fn find(centre: &Centre, case: &EnvelopeId) -> Result<Result<Self, NotAsked>, ServiceError> {
        let context = centre.context();
        match centre.read(|tx| supplementing::find(tx, context, case))? {
            Ok(asked) => Self::open(context, asked),
            Err(why) => Ok(Err(why)),
        }
    }

    /// The same of what was found.
    ///
    /// # Errors
    /// [`ServiceError`] if something does not open any more.
    pub fn open(context: &Context, asked: Asked) -> Result<Result<Self, NotAsked>, ServiceError> {
        let words = |language| Words(language).t("supplement.title").to_owned();
        let title = Text { zh: words(Language::ZhCn), en: words(Language::En) };
        let sheet = asked.open(&context.keys, &title)?;
        Ok(if sheet.form.is_some() { Ok(Self { asked, sheet }) } else { Err(NotAsked::Elsewhere) })
    }

    /// What is asked for, in words.
    pub fn view(&self, w: Words, now_ms: i64) -> AskedView {
        let name = |want: &Want| called::want(w, self.asked.entry(), &want.key);
        let flaw = |want: &Want| w.of("desk_flaw", want.flaw.as_str());
        AskedView {
            number: self.asked.row.number.to_string(),
            until: last_moment(w, self.asked.due_at_ms, now_ms),
            count: self.asked.wants.len().to_string(),
            wants: self.asked.wants.iter().map(|want| (name(want), flaw(want))).collect(),
            words: self.asked.words.clone(),
            elsewhere: self.sheet.elsewhere.iter().map(name).collect(),
        }
    }

    /// What is wrong with new answers beside the old ones, in words.
    pub fn mistakes(&self, w: Words, errors: &[FieldError]) -> Vec<String> {
        let one = |error: &FieldError| {
            let label = called::want(w, self.asked.entry(), &error.key);
            w.fill("drawing.label_said", &[("label", &label), ("said", &of_error(w, &error.kind))])
        };
        errors.iter().map(one).collect()
    }
}

impl Purpose {
    /// What a draft is for.
    ///
    /// # Errors
    /// As [`Adding::find`].
    pub fn of(centre: &Centre, supplements: Option<&EnvelopeId>) -> Result<Self, ServiceError> {
        let Some(case) = supplements else { return Ok(Self::Case) };
        Ok(match Adding::find(centre, case)? {
            Ok(adding) => Self::Supplement(Box::new(adding)),
            Err(why) => Self::Over(why),
        })
    }
}
