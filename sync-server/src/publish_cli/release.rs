//! Signing a version together with its way back, publishing both, and taking items away.
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use domain::catalogue::{Catalogue, CatalogueDocument};
use domain::ids::ItemCode;
use domain::wire::v1::tuf::{is_target_file, target_file};
use publishing::bundle::{Bundle, SignedTargets};
use publishing::online::OnlineKeys;
use publishing::root::TrustedRoot;
use serde_json::json;

use super::arguments::{PublishArgs, SignArgs, WithdrawArgs};
use super::{Answer, write};
use crate::data_folder::DataFolder;
use crate::services::catalogue as centre;
use crate::services::rollout::{self, Begin, Reason};
use crate::startup;
use crate::store::{Driver, Tx, in_transaction};

/// Who works at the command line, in audit rows and histories.
const OPERATOR: &str = "operator";

/// Copies the packed version that terminals run beside the list, so that the way back can be signed where no store is.
pub(super) fn copy_running(folder: &Path, targets: &SignedTargets, data: &DataFolder) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        // A copy of an earlier day.
        if path.file_name().is_some_and(|name| is_target_file(&name.to_string_lossy())) {
            std::fs::remove_file(&path).with_context(|| path.display().to_string())?;
        }
    }
    let listed = targets.listed()?;
    let running = match data.open_existing() {
        Ok(mut store) => in_transaction(store.as_mut(), rollout::latest)?.map(|r| r.settled()),
        Err(_) => None,
    };
    let wanted = running.or_else(|| listed.last().map(|l| l.version));
    let Some(listed) = listed.iter().find(|l| Some(l.version) == wanted) else { return Ok(()) };
    let name = target_file(&listed.digest, listed.version);
    let path = data.signed().target_path(&name).context("a name of a packed catalogue")?;
    write(&folder.join(&name), &std::fs::read(&path).with_context(|| path.display().to_string())?)
}

/// The next version, and the one after it with the content that terminals run now, if that was carried here.
pub(super) fn with_way_back(
    next: &Catalogue,
    (root, args): (&TrustedRoot, &SignArgs),
) -> anyhow::Result<Vec<CatalogueDocument>> {
    let mut documents = vec![next.to_document()];
    if args.no_way_back || !args.in_force.join("targets.json").exists() {
        return Ok(documents);
    }
    let Some(text) = Bundle::read(&args.in_force)?.highest_held(root)? else { return Ok(documents) };
    let number = next.version.checked_add(1).context("a version number")?;
    documents.push(renumbered(&text, number)?.to_document());
    Ok(documents)
}

/// What was signed, in words.
pub(super) fn signed(documents: &[CatalogueDocument], out: &Path) -> String {
    let out = out.display();
    match documents {
        [] => format!("signed the same list anew: publish {out}\n"),
        [next] => format!(
            "signed catalogue {} without a way back: publish {out}\n(`keys status --copy` copies what terminals run; \
             with it a way back is signed)\n",
            next.version
        ),
        [next, .., back] => {
            format!(
                "signed catalogue {}, and {} as its way back: publish {out}\n",
                next.version, back.version
            )
        }
    }
}

/// Stores, lists, and begins the rollout, in this order: whatever names a version is understood, and nobody is told to
/// run what is not listed. Each step may be repeated.
pub(super) fn publish(args: &PublishArgs, data: &DataFolder) -> anyhow::Result<Answer> {
    let bundle = Bundle::read(&args.folder)?;
    let repository = data.signed();
    let root = repository.view()?.root;
    let online = OnlineKeys::find(&data.online_keys(), |role| root.key_ids(role))?;
    repository.check(&bundle)?;
    let now_ms = startup::now_ms();
    let mut store = data.open_existing()?;
    let strangers = in_transaction(store.as_mut(), |tx| rollout::no_pilots(tx, &args.pilot))?;
    if let Some(stranger) = strangers.first() {
        bail!(
            "--pilot {stranger}: no enrolled terminal has this id; nothing was published (/rollout shows the ids)"
        );
    }
    startup::settle_listed(store.as_mut(), &repository, now_ms)?;
    let versions = versions(&bundle)?;
    let release = Release::of(store.as_mut(), versions)?;
    if let Some(release) = &release {
        in_transaction(store.as_mut(), |tx| release.store(tx, now_ms))?;
    }
    let new = repository.publish(&bundle, &online, now_ms)?;
    let began = match &release {
        Some(release) => in_transaction(store.as_mut(), |tx| {
            let Some(begin) = release.begin(args) else { return Ok(false) };
            rollout::begin(tx, now_ms, OPERATOR, &begin)
        })?,
        None => false,
    };
    let rollout = in_transaction(store.as_mut(), rollout::latest)?;
    if args.json {
        let rollout = rollout.map(|r| {
            json!({ "version": r.version, "way_back": r.way_back, "state": r.course.state.as_str(), "began": began })
        });
        return Ok(Answer::Json(
            json!({ "published": new, "list": bundle.targets.version(), "rollout": rollout }),
        ));
    }
    let said = rollout.filter(|_| began).map_or(String::new(), |r| {
        let back = r.way_back.map_or("no way back".to_owned(), |v| format!("way back {v}"));
        format!("rollout of {} {}, {back}\n", r.version, r.course.state.as_str())
    });
    Ok(Answer::Text(format!("published: {new:?}, list {}\n{said}", bundle.targets.version())))
}

/// Catalogue versions of a bundle, the lowest first, with the one that is a way back apart.
struct Release {
    versions: Vec<Catalogue>,
    way_back: Option<Catalogue>,
}

impl Release {
    /// Tells the way back by its content: it is what terminals run now.
    fn of(store: &mut dyn Driver, mut versions: Vec<Catalogue>) -> anyhow::Result<Option<Self>> {
        let Some(newest) = versions.pop() else { return Ok(None) };
        let running = in_transaction(store, |tx| {
            let Some(rollout) = rollout::latest(tx)? else { return Ok::<_, anyhow::Error>(None) };
            rollout::may_begin(tx, versions.last().map_or(newest.version, |v| v.version))?;
            // Repeated: the rollout of this bundle began already.
            let before =
                if rollout.way_back == Some(newest.version) { rollout.before } else { rollout.settled() };
            let sql = "SELECT document FROM catalogue WHERE version = $1";
            Ok(tx
                .query_first(sql, &[before.into()])?
                .map(|row| row.text(0).map(str::to_owned))
                .transpose()?)
        })?;
        let same = |text: String| anyhow::Ok(renumbered(&text, newest.version)?.to_document().digest);
        let is_back = match running {
            Some(text) if !versions.is_empty() => same(text)? == newest.to_document().digest,
            _ => false,
        };
        if is_back {
            return Ok(Some(Self { versions, way_back: Some(newest) }));
        }
        versions.push(newest);
        Ok(Some(Self { versions, way_back: None }))
    }

    fn store(&self, tx: &mut Tx<'_>, now_ms: i64) -> anyhow::Result<()> {
        for catalogue in &self.versions {
            centre::publish(tx, now_ms, catalogue)?;
        }
        if let Some(back) = &self.way_back {
            centre::store(tx, now_ms, &back.to_document())?;
        }
        Ok(())
    }

    fn begin(&self, args: &PublishArgs) -> Option<Begin> {
        let catalogue = self.versions.last()?;
        Some(Begin {
            version: catalogue.version,
            way_back: self.way_back.as_ref().map(|c| c.version),
            rings: if args.to_all { Vec::new() } else { catalogue.policies.rollout.clone() },
            back_by_itself: catalogue.policies.back_by_itself,
            pilots: args.pilot.clone(),
        })
    }
}

fn versions(bundle: &Bundle) -> anyhow::Result<Vec<Catalogue>> {
    let mut versions = Vec::new();
    for listed in bundle.targets.listed()? {
        let Some(text) = bundle.document(listed.version)? else { continue };
        let catalogue = parsed(&text).with_context(|| format!("catalogue {}", listed.version))?;
        ensure!(
            catalogue.version == listed.version,
            "the file of catalogue {} holds version {}",
            listed.version,
            catalogue.version
        );
        versions.push(catalogue);
    }
    Ok(versions)
}

fn renumbered(text: &str, version: u64) -> anyhow::Result<Catalogue> {
    let mut catalogue = parsed(text)?;
    catalogue.version = version;
    Ok(catalogue)
}

fn parsed(text: &str) -> anyhow::Result<Catalogue> {
    Catalogue::from_document(text)
        .map_err(|e| anyhow::anyhow!(e.first().map(ToString::to_string).unwrap_or_default()))
}

/// Takes an item away at once, or gives it back.
pub(super) fn withdraw(args: &WithdrawArgs, data: &DataFolder) -> anyhow::Result<Answer> {
    let mut store = data.open_existing()?;
    let now_ms = startup::now_ms();
    let item = &args.item;
    if args.restore {
        in_transaction(store.as_mut(), |tx| rollout::restore(tx, now_ms, OPERATOR, item))?;
        return Ok(Answer::Text(format!("{item} may be begun again\n")));
    }
    let Some(reason) = args.reason.as_deref().and_then(Reason::typed) else {
        bail!("--reason is one line of words that citizens read")
    };
    let known = known(store.as_mut(), item)?;
    in_transaction(store.as_mut(), |tx| rollout::withdraw(tx, now_ms, OPERATOR, (item, known), &reason))?;
    Ok(Answer::Text(format!("{item} is withdrawn: no terminal begins it any more\n")))
}

fn known(store: &mut dyn Driver, item: &ItemCode) -> anyhow::Result<bool> {
    let shelf = centre::Shelf::default();
    let newest = in_transaction(store, |tx| shelf.newest(tx))?;
    Ok(newest.is_some_and(|volume| volume.catalogue.entry(item).is_some()))
}
