//! Which exit code an error of the terminal ends with; what the codes mean stands in `operator::exit`.
use operator::exit::Exit;
use operator::settings::Mistakes;

use crate::store::StoreError;
use crate::sync::EnrolError;

/// The code of an error, by the first of its causes that has one.
pub(crate) fn of(error: &anyhow::Error) -> Exit {
    error.chain().find_map(of_cause).unwrap_or(Exit::Failure)
}

fn of_cause(cause: &(dyn std::error::Error + 'static)) -> Option<Exit> {
    if cause.is::<Mistakes>() {
        return Some(Exit::Configuration);
    }
    if let Some(EnrolError::Unreachable(_)) = cause.downcast_ref() {
        return Some(Exit::Unavailable);
    }
    let store = cause.downcast_ref::<StoreError>()?;
    store.is_busy().then_some(Exit::TemporaryFailure)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_error_has_its_code_below_any_context() {
        let table = [
            (anyhow::Error::new(Mistakes(Vec::new())), Exit::Configuration),
            (EnrolError::Unreachable("x".to_owned()).into(), Exit::Unavailable),
            (EnrolError::Refused("401 x".to_owned()).into(), Exit::Failure),
            (StoreError::Full.into(), Exit::Failure),
            (anyhow::anyhow!("anything"), Exit::Failure),
        ];
        for (error, exit) in table {
            assert_eq!(of(&error.context("while it did something")), exit);
        }
    }
}
