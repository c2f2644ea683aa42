//! `sync-server catalogue …`: the key ceremony and the publishing of signed catalogues. What the steps are for, and who
//! does them where, stands in `docs/operations/keys.md`.
//!
//! Refuses to ask for a passphrase on the command line: it is read from the console or from a file.
mod arguments;
mod release;

use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use domain::envelope::Digest;
use publishing::bundle::{Bundle, SignedTargets};
use publishing::key::{PublicEntry, PublicKeys, RoleKey, RoleName};
use publishing::key_file;
use publishing::online::OnlineKeys;
use publishing::repository::{ROOT_MS, TARGETS_MS};
use publishing::root::{RoleChange, RootDraft, TrustedRoot};
use publishing::status::Status;
use serde_json::Value;

pub use arguments::CatalogueCommand;
use arguments::{InitArgs, KeysCommand, RevokeArgs, RotateArgs, SignArgs, SignRootArgs};

use crate::data_folder::DataFolder;
use crate::passphrases::Passphrases;
use crate::startup;

/// Files that are read here, in bytes at most.
const MOST_BYTES: u64 = 1024 * 1024;

/// Runs a command and gives its answer: a text, or JSON if that was asked for.
///
/// # Errors
/// With the step that failed.
pub fn run(command: &CatalogueCommand, data: &DataFolder) -> anyhow::Result<Answer> {
    match command {
        CatalogueCommand::Keys(command) => run_keys(command, data),
        CatalogueCommand::Sign(args) => sign(args),
        CatalogueCommand::Publish(args) => release::publish(args, data),
        CatalogueCommand::Withdraw(args) => release::withdraw(args, data),
        CatalogueCommand::Refresh => {
            let new =
                crate::jobs::signatures::refresh(&data.signed(), &data.online_keys(), startup::now_ms())?;
            Ok(Answer::Text(if new { "signed anew\n" } else { "not due\n" }.to_owned()))
        }
    }
}

/// What a command says.
#[derive(Debug)]
pub enum Answer {
    /// For people.
    Text(String),
    /// For programs.
    Json(Value),
}

fn run_keys(command: &KeysCommand, data: &DataFolder) -> anyhow::Result<Answer> {
    match command {
        KeysCommand::Init(args) => match &args.offline {
            Some(folder) => init_offline(folder, args),
            None => init_online(data),
        },
        KeysCommand::Rotate(args) => rotate(args),
        KeysCommand::Revoke(args) => revoke(args),
        KeysCommand::SignRoot(args) => sign_root(args),
        KeysCommand::Install { root, bundle } => install(root, bundle.as_deref(), data),
        KeysCommand::Status { json, copy } => status(*json, copy.as_deref(), data),
    }
}

fn init_online(data: &DataFolder) -> anyhow::Result<Answer> {
    data.make()?;
    let made = OnlineKeys::make(&data.online_keys(), &mut startup::random()?)?;
    Ok(Answer::Json(serde_json::to_value(made.public()?)?))
}

fn init_offline(folder: &Path, args: &InitArgs) -> anyhow::Result<Answer> {
    let online = args.online_keys.as_deref().context("--online-keys is missing")?;
    let mut public: PublicKeys = serde_json::from_slice(&read(online)?).context("public keys")?;
    ensure!(
        public.keys.iter().all(|e| !e.role.is_offline()),
        "only online keys belong into {}",
        online.display()
    );
    let mut passphrases = Passphrases::new(args.passphrases.passphrase_file.as_deref())?;
    let mut made = Vec::new();
    for (name, role) in [
        ("root-1", RoleName::Root),
        ("root-2", RoleName::Root),
        ("root-3", RoleName::Root),
        ("targets", RoleName::Targets),
    ] {
        let key = make_key(&folder.join(format!("{name}.p8")), &mut passphrases)?;
        public.keys.push(PublicEntry { role, key: key.public()? });
        made.push(key);
    }
    let [one, two, _, targets] = made.as_slice() else { bail!("four keys are made here") };
    let now_ms = startup::now_ms();
    let mut draft = RootDraft::first(&public, now_ms + ROOT_MS)?;
    draft.sign(one, None)?;
    draft.sign(two, None)?;
    write(&folder.join("1.root.json"), &draft.to_bytes()?)?;
    let root = draft.finish(None)?;
    Bundle::sign(&root, None, &[], targets, now_ms + TARGETS_MS)?.write(&folder.join("first"))?;
    Ok(Answer::Text(format!(
        "root 1 and the first list are in {}; carry 1.root.json and first/ to the server, and keep the keys apart\n",
        folder.display()
    )))
}

fn rotate(args: &RotateArgs) -> anyhow::Result<Answer> {
    let current = TrustedRoot::read(&read(&args.root)?)?;
    let mut changes = Vec::new();
    if let (Some(role), Some(path)) = (args.role, &args.new_key) {
        let mut passphrases = Passphrases::new(args.passphrases.passphrase_file.as_deref())?;
        let remove = match &args.replaces {
            Some(id) => vec![find(&current.key_ids(role), id)?],
            None => current.key_ids(role),
        };
        let key = make_key(path, &mut passphrases)?;
        changes.push(RoleChange { role, remove, add: vec![key.public()?] });
    }
    if let Some(file) = &args.add {
        let public: PublicKeys = serde_json::from_slice(&read(file)?).context("public keys")?;
        for role in RoleName::ALL {
            let add = public.of(role);
            if !add.is_empty() {
                changes.push(RoleChange { role, remove: current.key_ids(role), add });
            }
        }
    }
    draft(&current, &changes, &args.out)
}

fn revoke(args: &RevokeArgs) -> anyhow::Result<Answer> {
    let current = TrustedRoot::read(&read(&args.root)?)?;
    for role in RoleName::ALL {
        if let Ok(id) = find(&current.key_ids(role), &args.id) {
            return draft(&current, &[RoleChange { role, remove: vec![id], add: Vec::new() }], &args.out);
        }
    }
    bail!("no key of root {} begins with {}", current.version(), args.id)
}

fn draft(current: &TrustedRoot, changes: &[RoleChange], out: &Path) -> anyhow::Result<Answer> {
    let draft = RootDraft::next(current, changes, startup::now_ms() + ROOT_MS)?;
    write(out, &draft.to_bytes()?)?;
    Ok(Answer::Text(format!(
        "root {} is drafted in {}: now `keys sign-root`\n",
        draft.version(),
        out.display()
    )))
}

fn sign_root(args: &SignRootArgs) -> anyhow::Result<Answer> {
    let before = args.before.as_deref().map(|p| anyhow::Ok(TrustedRoot::read(&read(p)?)?)).transpose()?;
    let mut draft = RootDraft::read(&read(&args.draft)?)?;
    let mut passphrases = Passphrases::new(args.passphrases.passphrase_file.as_deref())?;
    let key = key_file::read_sealed(&args.key, &passphrases.next(&args.key.display().to_string())?)?;
    draft.sign(&key, before.as_ref())?;
    publishing::files::replace(&args.draft, &draft.to_bytes()?)?;
    let standing = draft.standing(before.as_ref())?;
    let ready = if standing.is_enough() { "enough: carry it to the server" } else { "not enough yet" };
    Ok(Answer::Text(format!(
        "root {}: {} of {} signatures of its own keys, {} of {} of the keys before; {ready}\n",
        draft.version(),
        standing.of_new,
        standing.needed,
        standing.of_old,
        standing.needed
    )))
}

fn install(root: &Path, bundle: Option<&Path>, data: &DataFolder) -> anyhow::Result<Answer> {
    let draft = RootDraft::read(&read(root)?)?;
    let bundle = bundle.map(Bundle::read).transpose()?;
    let online = OnlineKeys::find(&data.online_keys(), |role| draft.key_ids(role))?;
    let root = data.signed().install(draft, bundle.as_ref(), &online, startup::now_ms())?;
    Ok(Answer::Text(format!("root {} is in force\n", root.version())))
}

fn status(as_json: bool, copy: Option<&Path>, data: &DataFolder) -> anyhow::Result<Answer> {
    let view = data.signed().view()?;
    let status = Status::of(&view)?;
    if let Some(folder) = copy {
        write(&folder.join("root.json"), &view.root.to_bytes()?)?;
        if let Some(targets) = &view.targets {
            write(&folder.join("targets.json"), &targets.to_bytes()?)?;
            release::copy_running(folder, targets, data)?;
        }
    }
    if as_json {
        return Ok(Answer::Json(serde_json::to_value(status)?));
    }
    let mut text = String::new();
    let date = |ms: Option<i64>| {
        ms.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok())
            .map_or("-".to_owned(), |t| t.strftime("%F %H:%MZ").to_string())
    };
    for role in &status.roles {
        let keys: Vec<String> = role.keys.iter().map(Digest::short).collect();
        text.push_str(&format!(
            "{:<10} version {:<4} ends {}  {}  {} of {}\n",
            role.role.as_str(),
            role.version.map_or("-".to_owned(), |v| v.to_string()),
            date(role.expires_ms),
            if role.signed { "signed" } else { "NOT SIGNED by keys that count" },
            role.threshold,
            keys.join(" "),
        ));
    }
    let versions: Vec<String> = status.catalogues.iter().map(u64::to_string).collect();
    let versions = match versions.as_slice() {
        [] => "no catalogue is published yet: `catalogue sign`, then `catalogue publish`".to_owned(),
        versions => format!("catalogues {}", versions.join(" ")),
    };
    text.push_str(&format!("{versions}; confirmed {}\n", date(status.confirmed_ms)));
    Ok(Answer::Text(text))
}

fn sign(args: &SignArgs) -> anyhow::Result<Answer> {
    let root = TrustedRoot::read(&read(&args.in_force.join("root.json"))?)?;
    let targets = args.in_force.join("targets.json");
    let current = targets.exists().then(|| anyhow::Ok(SignedTargets::read(&read(&targets)?)?)).transpose()?;
    let catalogue = args.catalogue.as_deref().map(startup::load_folder_or_document).transpose()?;
    let documents = match &catalogue {
        Some(next) => release::with_way_back(next, (&root, args))?,
        None => Vec::new(),
    };
    let mut passphrases = Passphrases::new(args.passphrases.passphrase_file.as_deref())?;
    let key = key_file::read_sealed(&args.key, &passphrases.next(&args.key.display().to_string())?)?;
    let ends_ms = startup::now_ms() + TARGETS_MS;
    let bundle = Bundle::sign(&root, current.as_ref(), &documents, &key, ends_ms)?;
    bundle.write(&args.out)?;
    Ok(Answer::Text(release::signed(&documents, &args.out)))
}

fn make_key(path: &Path, passphrases: &mut Passphrases) -> anyhow::Result<RoleKey> {
    let mut rng = startup::random()?;
    let key = RoleKey::new(&mut rng);
    key_file::write_sealed(path, &key, &passphrases.next_new(&path.display().to_string())?, &mut rng)?;
    Ok(key)
}

/// The one key whose id begins so.
fn find(ids: &[Digest], beginning: &str) -> anyhow::Result<Digest> {
    ensure!(beginning.len() >= 8, "at least 8 digits of the id");
    let mut found = ids.iter().filter(|id| id.to_string().starts_with(beginning));
    match (found.next(), found.next()) {
        (Some(id), None) => Ok(*id),
        _ => bail!("not one key begins with {beginning}"),
    }
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let bytes = publishing::files::read_if_there(path, MOST_BYTES)?;
    bytes.with_context(|| format!("{} is not there", path.display()))
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    if let Some(folder) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    publishing::files::replace(path, bytes).with_context(|| path.display().to_string())
}
