//! The form as the answers to the situation questions make it: one way for the terminal that asks and for the centre
//! that judges, so that what one shows is what the other accepts.
use super::{Question, SituationAnswers, questions, resolve};
use crate::catalogue::{Catalogue, Entry};
use crate::form::{Form, FormError};

/// Begins the path of a question in the reasons of a return: `situation.home`. No key of a field has a dot, and
/// nothing but a repeat group has members.
pub const PATH_PREFIX: &str = "situation.";

/// What is wrong with answers to situation questions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// Id of the question; none where no question of the entry is meant. An id that the entry does not have is not
    /// repeated: anybody may have typed it.
    pub question: Option<String>,
    /// What is wrong.
    pub kind: MisfitKind,
}

/// Kinds of [`Misfit`]s.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MisfitKind {
    /// The entry has no such question.
    UnknownQuestion,
    /// The question has no such option, or only one may be chosen.
    NotAChoice,
    /// It is not answered, and decides about fields of the form.
    Required,
    /// With this answer the matter ends before the form.
    Ends,
    /// A bundle of which nothing is left to be done.
    NothingLeft,
}

impl Misfit {
    /// Path of the question; none where no question is meant.
    pub fn path(&self) -> Option<String> {
        self.question.as_ref().map(|id| format!("{PATH_PREFIX}{id}"))
    }
}

impl MisfitKind {
    /// Name in `assets/text`; where it means the same as an error of a field it has that one's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::UnknownQuestion => "unknown_field",
            Self::NotAChoice => "not_a_choice",
            Self::Required => "required",
            Self::Ends => "ends",
            Self::NothingLeft => "nothing_left",
        }
    }
}

/// There is no form for these answers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoForm {
    /// The answers do not fit the questions.
    #[error("the answers to the situation questions do not fit")]
    Misfits(Vec<Misfit>),
    /// The catalogue's questions do not fit its form, which its checks rule out.
    #[error(transparent)]
    Form(#[from] FormError),
}

/// Everything that keeps a form from being handed in with these answers, in the order of the questions. A question
/// may stay unanswered if it decides about no field.
pub fn misfits(catalogue: &Catalogue, entry: Entry<'_>, answers: &SituationAnswers) -> Vec<Misfit> {
    let resolution = resolve(catalogue, entry, answers);
    let asked = questions(catalogue, entry);
    let mut found = Vec::new();
    for question in &asked {
        let Some(kind) = misfit(question, answers, &resolution.refused) else { continue };
        found.push(Misfit { question: Some(question.id.clone()), kind });
        if kind == MisfitKind::Ends {
            // What comes after an end is never asked.
            break;
        }
    }
    let unknown = answers.keys().filter(|id| !asked.iter().any(|question| question.id == **id));
    found.extend(unknown.map(|_| Misfit { question: None, kind: MisfitKind::UnknownQuestion }));
    if resolution.nothing_left.is_some() {
        found.push(Misfit { question: None, kind: MisfitKind::NothingLeft });
    }
    found
}

/// The form of an item or bundle, adjusted to these answers.
///
/// `None` are the answers of a program that asks no situation questions: its form is the one of the catalogue as it
/// stands, and what was filled in there stays good.
///
/// # Errors
/// [`NoForm::Misfits`] if the answers do not fit, [`NoForm::Form`] if the catalogue contradicts itself.
pub fn form_for(
    catalogue: &Catalogue,
    entry: Entry<'_>,
    form: &Form,
    answers: Option<&SituationAnswers>,
) -> Result<Form, NoForm> {
    let Some(answers) = answers else { return Ok(form.clone()) };
    let misfits = misfits(catalogue, entry, answers);
    if !misfits.is_empty() {
        return Err(NoForm::Misfits(misfits));
    }
    Ok(form.adjusted(&resolve(catalogue, entry, answers).adjustments)?)
}

fn misfit(question: &Question, answers: &SituationAnswers, refused: &[String]) -> Option<MisfitKind> {
    let Some(ids) = question.answer(answers) else {
        return question.decides_fields().then_some(MisfitKind::Required);
    };
    if refused.contains(&question.id) {
        return Some(MisfitKind::NotAChoice);
    }
    let ends = ids.iter().filter_map(|id| question.option(id)).any(|option| option.ends_with.is_some());
    ends.then_some(MisfitKind::Ends)
}
