//! What the commands of signed catalogues take.
use std::path::PathBuf;

use clap::{Args, Subcommand};
use domain::ids::{ItemCode, TerminalId};
use publishing::key::RoleName;

/// Signed catalogues: keys and publishing.
#[derive(Debug, Subcommand)]
pub enum CatalogueCommand {
    /// The keys that speak for the catalogue: see `docs/operations/keys.md`.
    #[command(
        subcommand,
        after_help = "Examples:
  sync-server catalogue keys init --online
  sync-server catalogue keys status"
    )]
    Keys(KeysCommand),
    /// Sign a new catalogue version with the targets key, away from the server; writes a folder to be carried to it.
    #[command(after_help = "Examples:
  sync-server catalogue sign --catalogue assets/catalogue --in-force stick/in-force --key stick/targets.p8 --out stick/v2
  sync-server catalogue sign --catalogue catalogue-v3.json --in-force stick/in-force --key stick/targets.p8 --out stick/v3")]
    Sign(SignArgs),
    /// Publish a signed folder: the centre stores the version, and its rollout begins with the first ring.
    #[command(
        after_help = "The very first version goes to all terminals at once. Publishing the same folder twice changes nothing. The server
may run.

Examples:
  sync-server catalogue publish stick/v2
  sync-server catalogue publish stick/v2 --pilot T-01
  sync-server catalogue publish stick/v2 --json"
    )]
    Publish(PublishArgs),
    /// Take an item away from all terminals at once, or give it back; the server may run.
    #[command(after_help = "Examples:
  sync-server catalogue withdraw hrss.flex-enroll --reason closed-until-monday
  sync-server catalogue withdraw hrss.flex-enroll --restore")]
    Withdraw(WithdrawArgs),
    /// Sign the timestamp anew if that is due; a running server does it by itself.
    #[command(after_help = "Examples:
  sync-server catalogue refresh")]
    Refresh,
}

/// Steps of the ceremony.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Make keys: on the server its two online keys, on the offline machine the root keys, the targets key and root 1.
    #[command(after_help = "Examples:
  sync-server catalogue keys init --online > online.json
  sync-server catalogue keys init --offline stick --online-keys online.json")]
    Init(InitArgs),
    /// Draft the next root with another key for a role.
    #[command(after_help = "Examples:
  sync-server catalogue keys rotate --root stick/root.json --role targets --new-key stick/targets-2.p8 --out stick/2.root.json
  sync-server catalogue keys rotate --root stick/root.json --add online.json --out stick/2.root.json")]
    Rotate(RotateArgs),
    /// Draft the next root without a key that is lost or in wrong hands.
    #[command(after_help = "Examples:
  sync-server catalogue keys revoke --root stick/root.json --id 0123456789abcdef --out stick/2.root.json")]
    Revoke(RevokeArgs),
    /// Put a root key's signature to a draft; two are needed, of the old root and of the new one.
    #[command(after_help = "Examples:
  sync-server catalogue keys sign-root stick/2.root.json --before stick/root.json --key stick/root-1.p8")]
    SignRoot(SignRootArgs),
    /// Install a root that has enough signatures on the server.
    #[command(after_help = "Examples:
  sync-server catalogue keys install stick/1.root.json --bundle stick/first
  sync-server catalogue keys install stick/2.root.json")]
    Install {
        /// The root.
        root: PathBuf,
        /// A signed list, if there was none or the targets key changed.
        #[arg(long)]
        bundle: Option<PathBuf>,
    },
    /// Show roles, keys, ends and versions; copy what is in force for the offline machine.
    #[command(after_help = "Examples:
  sync-server catalogue keys status
  sync-server catalogue keys status --json
  sync-server catalogue keys status --copy stick/in-force")]
    Status {
        /// Answer as JSON.
        #[arg(long)]
        json: bool,
        /// Folder to copy root and list into, to be carried to the offline machine.
        #[arg(long, value_name = "FOLDER")]
        copy: Option<PathBuf>,
    },
}

/// What keys are made.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("where").required(true).args(["online", "offline"])))]
pub struct InitArgs {
    /// On the server: a new pair of online keys; their public halves go to standard output.
    #[arg(long)]
    pub(super) online: bool,
    /// On the offline machine: folder for three root keys, the targets key, root 1 and the first, empty list.
    #[arg(long, value_name = "FOLDER", requires = "online_keys")]
    pub(super) offline: Option<PathBuf>,
    /// Public halves of the online keys, as `--online` printed them.
    #[arg(long, value_name = "FILE")]
    pub(super) online_keys: Option<PathBuf>,
    #[command(flatten)]
    pub(super) passphrases: PassphraseArgs,
}

/// Where passphrases come from.
#[derive(Debug, Args)]
pub struct PassphraseArgs {
    /// File with one passphrase a line in the order in which they are needed; without it they are asked for.
    #[arg(long, value_name = "FILE")]
    pub(super) passphrase_file: Option<PathBuf>,
}

/// What is published.
#[derive(Debug, Args)]
pub struct PublishArgs {
    /// The folder from `catalogue sign`.
    pub(super) folder: PathBuf,
    /// A terminal that goes first; may be named several times.
    #[arg(long, value_name = "TERMINAL")]
    pub(super) pilot: Vec<TerminalId>,
    /// All terminals at once, without rings: after a restore, when they run it already.
    #[arg(long, conflicts_with = "pilot")]
    pub(super) to_all: bool,
    /// Answer as JSON.
    #[arg(long)]
    pub(super) json: bool,
}

/// What is taken away or given back.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("what").required(true).args(["reason", "restore"])))]
pub struct WithdrawArgs {
    /// The item or bundle.
    pub(super) item: ItemCode,
    /// Why, in the words that citizens read.
    #[arg(long)]
    pub(super) reason: Option<String>,
    /// Give it back.
    #[arg(long)]
    pub(super) restore: bool,
}

/// What is signed.
#[derive(Debug, Args)]
pub struct SignArgs {
    /// Folder of the catalogue's files, or one document from the console; without it the same list is signed anew.
    #[arg(long, value_name = "FOLDER|FILE")]
    pub(super) catalogue: Option<PathBuf>,
    /// Folder with root and list in force, as `keys status --copy` wrote them.
    #[arg(long, value_name = "FOLDER")]
    pub(super) in_force: PathBuf,
    /// Sign no version to go back to; without it the next number gets the content that terminals run now.
    #[arg(long)]
    pub(super) no_way_back: bool,
    /// Key file of the targets role.
    #[arg(long, value_name = "FILE")]
    pub(super) key: PathBuf,
    /// Folder for the signed list and the packed catalogue.
    #[arg(long, value_name = "FOLDER")]
    pub(super) out: PathBuf,
    #[command(flatten)]
    pub(super) passphrases: PassphraseArgs,
}

/// What is changed.
#[derive(Debug, Args)]
pub struct RotateArgs {
    /// The root in force.
    #[arg(long, value_name = "FILE")]
    pub(super) root: PathBuf,
    /// The role whose key is made here; its old keys count no longer.
    #[arg(long, value_name = "root|targets", requires = "new_key", value_parser = offline_role)]
    pub(super) role: Option<RoleName>,
    /// File for the key that is made.
    #[arg(long, value_name = "FILE", requires = "role")]
    pub(super) new_key: Option<PathBuf>,
    /// Id of the one key that it replaces; without it all keys of the role.
    #[arg(long, value_name = "ID")]
    pub(super) replaces: Option<String>,
    /// Public halves of keys that replace all others of their roles, as `keys init --online` printed them.
    #[arg(long, value_name = "FILE")]
    pub(super) add: Option<PathBuf>,
    /// File for the draft.
    #[arg(long, value_name = "FILE")]
    pub(super) out: PathBuf,
    #[command(flatten)]
    pub(super) passphrases: PassphraseArgs,
}

/// What is taken away.
#[derive(Debug, Args)]
pub struct RevokeArgs {
    /// The root in force.
    #[arg(long, value_name = "FILE")]
    pub(super) root: PathBuf,
    /// Id of the key, or its beginning.
    #[arg(long)]
    pub(super) id: String,
    /// File for the draft.
    #[arg(long, value_name = "FILE")]
    pub(super) out: PathBuf,
}

/// Whose signature.
#[derive(Debug, Args)]
pub struct SignRootArgs {
    /// The draft; the signature is written into it.
    pub(super) draft: PathBuf,
    /// The root in force; none for the first root.
    #[arg(long, value_name = "FILE")]
    pub(super) before: Option<PathBuf>,
    /// The root key's file.
    #[arg(long, value_name = "FILE")]
    pub(super) key: PathBuf,
    #[command(flatten)]
    pub(super) passphrases: PassphraseArgs,
}

fn offline_role(text: &str) -> Result<RoleName, String> {
    RoleName::ALL
        .into_iter()
        .find(|r| r.is_offline() && r.as_str() == text)
        .ok_or_else(|| "root or targets".to_owned())
}
