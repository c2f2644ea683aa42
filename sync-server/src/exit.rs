//! Which exit code an error of the server ends with; what the codes mean stands in `operator::exit`.
use operator::exit::Exit;
use operator::settings::Mistakes;
use publishing::repository::RepositoryError;

use crate::backup::BackupError;
use crate::error::ServiceError;
use crate::move_store::MoveError;
use crate::shell::ServeError;
use crate::startup::StartupError;
use crate::store::{MigrateError, StoreError, WriteError};

/// The code of an error, by the first of its causes that has one.
pub(crate) fn of(error: &anyhow::Error) -> Exit {
    error.chain().find_map(of_cause).unwrap_or(Exit::Failure)
}

fn of_cause(cause: &(dyn std::error::Error + 'static)) -> Option<Exit> {
    if cause.is::<Mistakes>() {
        return Some(Exit::Configuration);
    }
    // Errors that pass another one on unchanged hide it from the chain: looked into here.
    None.or_else(|| of_serving(cause.downcast_ref()?))
        .or_else(|| of_startup(cause.downcast_ref()?))
        .or_else(|| of_moving(cause.downcast_ref()?))
        .or_else(|| of_service(cause.downcast_ref()?))
        .or_else(|| of_migration(cause.downcast_ref()?))
        .or_else(|| of_store(cause.downcast_ref()?))
        .or_else(|| of_backup(cause.downcast_ref()?))
        .or_else(|| of_repository(cause.downcast_ref()?))
}

fn of_serving(error: &ServeError) -> Option<Exit> {
    match error {
        ServeError::Startup(e) => of_startup(e),
        ServeError::PublicPeople(_) | ServeError::PlainTerminals(_) | ServeError::Tls(_) => {
            Some(Exit::Configuration)
        }
        ServeError::Bind { .. } => Some(Exit::Unavailable),
        ServeError::System { .. } => None,
    }
}

fn of_startup(error: &StartupError) -> Option<Exit> {
    match error {
        StartupError::Locked { .. } => Some(Exit::TemporaryFailure),
        StartupError::Unreachable { .. } => Some(Exit::Unavailable),
        // The settings name a store that is somewhere else now.
        StartupError::Moved { .. } | StartupError::Moving { .. } => Some(Exit::Configuration),
        StartupError::Store { source, .. } => of_migration(source),
        StartupError::Driver(e) => of_store(e),
        StartupError::Service(e) => of_service(e),
        _ => None,
    }
}

fn of_moving(error: &MoveError) -> Option<Exit> {
    match error {
        MoveError::From { source, .. } | MoveError::To { source, .. } => of_migration(source),
        MoveError::Store(e) => of_store(e),
        _ => None,
    }
}

fn of_service(error: &ServiceError) -> Option<Exit> {
    match error {
        ServiceError::Store(e) => of_store(e),
        ServiceError::Write(WriteError::Unavailable) => Some(Exit::TemporaryFailure),
        _ => None,
    }
}

fn of_migration(error: &MigrateError) -> Option<Exit> {
    match error {
        MigrateError::Store(e) => of_store(e),
        _ => None,
    }
}

fn of_store(error: &StoreError) -> Option<Exit> {
    match error {
        StoreError::Busy => Some(Exit::TemporaryFailure),
        StoreError::Unreachable(_) => Some(Exit::Unavailable),
        _ => None,
    }
}

fn of_backup(error: &BackupError) -> Option<Exit> {
    match error {
        BackupError::Busy { .. } => Some(Exit::TemporaryFailure),
        BackupError::Startup(e) => of_startup(e),
        BackupError::Migrate(e) => of_migration(e),
        BackupError::Service(e) => of_service(e),
        BackupError::Store(e) => of_store(e),
        _ => None,
    }
}

fn of_repository(error: &RepositoryError) -> Option<Exit> {
    matches!(error, RepositoryError::Busy { .. }).then_some(Exit::TemporaryFailure)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_error_has_its_code_below_any_context() {
        let database = || "sqlite:x".parse().expect("an address");
        let away = || StoreError::Unreachable("x".into());
        let address = "127.0.0.1:1".parse().expect("an address");
        let table = [
            (anyhow::Error::new(Mistakes(Vec::new())), Exit::Configuration),
            (ServeError::PublicPeople(address).into(), Exit::Configuration),
            (
                ServeError::Bind { address, flag: "--people", source: std::io::ErrorKind::AddrInUse.into() }
                    .into(),
                Exit::Unavailable,
            ),
            (ServeError::Startup(StartupError::Locked { path: "x".into() }).into(), Exit::TemporaryFailure),
            (
                ServeError::Startup(StartupError::Unreachable { database: database(), source: away() })
                    .into(),
                Exit::Unavailable,
            ),
            (
                StartupError::Store { database: database(), source: StoreError::Busy.into() }.into(),
                Exit::TemporaryFailure,
            ),
            (StartupError::Service(ServiceError::Store(away())).into(), Exit::Unavailable),
            (StartupError::NoStore { database: database() }.into(), Exit::Failure),
            (MoveError::Store(away()).into(), Exit::Unavailable),
            (BackupError::Busy { path: "x".into() }.into(), Exit::TemporaryFailure),
            (BackupError::Store(away()).into(), Exit::Unavailable),
            (BackupError::NotSigned.into(), Exit::Failure),
            (RepositoryError::Busy { path: "x".into() }.into(), Exit::TemporaryFailure),
            (RepositoryError::TargetsNeeded.into(), Exit::Failure),
            (MoveError::Same.into(), Exit::Failure),
            (ServiceError::Write(WriteError::Unavailable).into(), Exit::TemporaryFailure),
            (anyhow::anyhow!("anything"), Exit::Failure),
        ];
        for (row, (error, exit)) in table.into_iter().enumerate() {
            assert_eq!(of(&error.context("while it did something")), exit, "row {row}");
        }
    }
}
