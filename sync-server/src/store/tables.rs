//! Names of all tables and columns, in an order in which references hold: what a move copies.
//!
//! Refuses to be a second schema: a test compares it with the migrations.

/// One table.
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// The columns that tell rows apart, in the order of copying.
    pub key: &'static [&'static str],
    /// All columns.
    pub columns: &'static [&'static str],
}

const fn table(name: &'static str, key: &'static [&'static str], columns: &'static [&'static str]) -> Table {
    Table { name, key, columns }
}

/// Columns of a task: all of them follow from its case.
pub const TASK_COLUMNS: [&str; 11] = [
    "envelope_id",
    "place",
    "step",
    "unit",
    "state",
    "open_",
    "holder",
    "version",
    "since_ms",
    "due_ms",
    "consulted",
];

/// Columns of what is counted of a case: all of them follow from its case.
pub const FACT_COLUMNS: [&str; 13] = [
    "unit",
    "day_",
    "envelope_id",
    "item",
    "station",
    "hour_",
    "state",
    "used_s",
    "wall_s",
    "rounds",
    "overdue",
    "clock",
    "counted_by",
];

/// Columns of a bill: all but the last four follow from its events and its case.
pub const BILL_COLUMNS: [&str; 22] = [
    "number",
    "place",
    "envelope_id",
    "case_number",
    "step",
    "item",
    "unit",
    "state",
    "needs",
    "fen",
    "received_fen",
    "kept_fen",
    "refunded_fen",
    "owed_fen",
    "due_ms",
    "version",
    "opened_at_ms",
    "changed_at_ms",
    "pay_url",
    "wake_ms",
    "tries",
    "simulated",
];

/// Columns of a handoff, its content included.
pub const HANDOFF_COLUMNS: [&str; 19] = [
    "id",
    "side",
    "partner",
    "item",
    "title",
    "unit",
    "clerk",
    "legal_tenths",
    "legal_unit",
    "form_version",
    "state",
    "version",
    "received_at_ms",
    "changed_at_ms",
    "key_id",
    "key_nonce",
    "wrapped",
    "nonce",
    "sealed",
];

/// Every table but `schema_version`, which a migration writes.
pub const TABLES: &[Table] = &[
    table("meta", &["name"], &["name", "value"]),
    table("catalogue", &["version"], &["version", "digest", "document", "stored_at_ms"]),
    table("station", &["id"], &["id", "number", "name", "district", "catalogue_version"]),
    table(
        "enrol_code",
        &["digest"],
        &["digest", "station", "made_at_ms", "expires_at_ms", "used_at_ms", "used_by", "replaces"],
    ),
    table(
        "terminal",
        &["id"],
        &[
            "id",
            "station",
            "public_key",
            "issuer",
            "status",
            "software",
            "enrolled_at_ms",
            "certificate_until_ms",
        ],
    ),
    table("terminal_step", &["id"], &["id", "terminal", "at_ms", "actor", "step", "reason"]),
    table("issuer_counter", &["issuer"], &["issuer", "date", "counter"]),
    table(
        "series",
        &["terminal", "lineage"],
        &["terminal", "lineage", "place", "state", "highest_seq", "seqs_seen", "changed_at_ms"],
    ),
    table(
        "envelope",
        &["server_seq"],
        &[
            "server_seq",
            "envelope_id",
            "kind",
            "refers_to",
            "terminal",
            "station",
            "lineage",
            "seq",
            "number",
            "complete",
            "disposition",
            "digest",
            "signature",
            "header",
            "ciphertext",
            "device_time_ms",
            "accepted_at_ms",
        ],
    ),
    table(
        "case_",
        &["envelope_id"],
        &[
            "envelope_id",
            "server_seq",
            "number",
            "slip_number",
            "state",
            "version",
            "reason",
            "item",
            "catalogue_version",
            "station",
            "terminal",
            "received_at_ms",
            "changed_at_ms",
            "outcome",
            "accepted_at_ms",
            "due_ms",
            "due_expected",
            "standing",
            "wake_ms",
        ],
    ),
    table(
        "action",
        &["envelope_id", "version"],
        &["envelope_id", "version", "kind", "body", "actor", "role", "on_behalf_of", "at_ms", "click"],
    ),
    table("task", &["envelope_id", "place"], &TASK_COLUMNS),
    table("case_fact", &["unit", "day_", "envelope_id"], &FACT_COLUMNS),
    table("case_text", &["envelope_id", "version"], &["envelope_id", "version", "nonce", "sealed"]),
    table(
        "certificate",
        &["number"],
        &[
            "number",
            "envelope_id",
            "version",
            "step",
            "title",
            "unit",
            "valid_from",
            "valid_until",
            "issued_at_ms",
            "token_hash",
            "nonce",
            "sealed",
            "revoked_at_ms",
            "revoked_by",
            "why",
            "said_nonce",
            "said",
        ],
    ),
    table(
        "rule_set",
        &["entry", "step", "version"],
        &["entry", "step", "version", "digest", "document", "published_by", "published_at_ms"],
    ),
    table(
        "rule_replay",
        &["digest", "against"],
        &["digest", "against", "cases", "otherwise_", "replayed_by", "replayed_at_ms"],
    ),
    table(
        "automatic",
        &["envelope_id", "step"],
        &[
            "envelope_id",
            "step",
            "set_version",
            "state",
            "tries",
            "failures",
            "next_ms",
            "until_ms",
            "reasons",
        ],
    ),
    table(
        "judgement",
        &["envelope_id", "version"],
        &["envelope_id", "version", "entry", "step", "set_version", "at_ms", "nonce", "sealed"],
    ),
    table(
        "source_look",
        &["envelope_id", "place"],
        &[
            "envelope_id",
            "place",
            "source",
            "purpose",
            "basis",
            "consent",
            "simulated",
            "asked_at_ms",
            "took_ms",
            "answered",
        ],
    ),
    table(
        "company_name",
        &["key_"],
        &["key_", "shop", "name", "state", "envelope_id", "holder", "since_ms", "until_ms"],
    ),
    table(
        "parcel",
        &["number"],
        &[
            "number",
            "envelope_id",
            "unit",
            "state",
            "list_",
            "version",
            "round_",
            "recalled",
            "carrier",
            "seal",
            "made_at_ms",
            "changed_at_ms",
            "tracking",
        ],
    ),
    table(
        "parcel_event",
        &["number", "version"],
        &["number", "version", "envelope_id", "body", "actor", "at_ms", "key_", "nonce", "sealed"],
    ),
    table("bill", &["number"], &BILL_COLUMNS),
    table("bill_event", &["bill", "version"], &["bill", "version", "at_ms", "actor", "body"]),
    table(
        "payment",
        &["transaction_no"],
        &["transaction_no", "bill", "order_no", "fen", "currency", "paid_at_ms", "arrived_at_ms", "way"],
    ),
    table(
        "refund",
        &["number"],
        &["number", "bill", "place", "transaction_no", "fen", "state", "tries", "wake_ms", "done_at_ms"],
    ),
    table("case_key", &["envelope_id"], &["envelope_id", "key_id", "nonce", "wrapped"]),
    table(
        "visit",
        &["id"],
        &[
            "id",
            "window_",
            "clerk",
            "kind",
            "opened_at_ms",
            "called_at_ms",
            "started_at_ms",
            "finished_at_ms",
            "ended",
        ],
    ),
    table("visit_case", &["envelope_id"], &["envelope_id", "visit", "clerk", "server_seq"]),
    table(
        "window_draft",
        &["envelope_id"],
        &[
            "envelope_id",
            "visit",
            "clerk",
            "item",
            "catalogue_version",
            "begun_at_ms",
            "saved_at_ms",
            "key_id",
            "key_nonce",
            "wrapped",
            "nonce",
            "sealed",
        ],
    ),
    table("window_page", &["envelope_id", "page"], &["envelope_id", "page", "digest"]),
    table("person_key", &["kind", "hmac", "envelope_id"], &["kind", "hmac", "envelope_id"]),
    table("audit", &["seq"], &["seq", "at_ms", "actor", "event", "subject", "object_digest", "hash"]),
    table("alarm", &["id"], &["id", "kind", "subject", "object_digest", "raised_at_ms"]),
    table("change_", &["cursor_"], &["cursor_", "station", "body"]),
    table(
        "account",
        &["id"],
        &[
            "id",
            "place",
            "name",
            "display",
            "unit",
            "roles",
            "locked",
            "password",
            "must_change",
            "password_at_ms",
            "created_at_ms",
            "signed_in_at_ms",
            "version",
        ],
    ),
    table("session", &["token_digest"], &["token_digest", "account", "created_at_ms", "seen_at_ms"]),
    table(
        "item_revision",
        &["code", "version"],
        &["code", "version", "revision", "digest", "stored_at_ms", "editor", "checker", "note"],
    ),
    table(
        "catalogue_draft",
        &["code"],
        &[
            "code",
            "base_version",
            "content",
            "version",
            "state",
            "makers",
            "editor",
            "note",
            "checker",
            "reason",
            "begun_at_ms",
            "changed_at_ms",
        ],
    ),
    table(
        "catalogue_candidate",
        &["version"],
        &["version", "base_version", "digest", "document", "drafts", "state", "made_by", "made_at_ms"],
    ),
    table("sign_in_failure", &["key_hash"], &["key_hash", "failures", "last_ms"]),
    table(
        "rollout",
        &["id"],
        &[
            "id",
            "version",
            "way_back",
            "before_",
            "rings",
            "back_by_itself",
            "state",
            "ring",
            "ring_began_ms",
            "began_ms",
            "changed_ms",
        ],
    ),
    table(
        "rollout_terminal",
        &["rollout", "terminal"],
        &["rollout", "terminal", "ring", "adopted_ms", "failed_ms", "failure", "tries"],
    ),
    table("rollout_step", &["id"], &["id", "rollout", "at_ms", "actor", "step", "ring", "reason"]),
    table(
        "heartbeat",
        &["terminal"],
        &[
            "terminal",
            "number_",
            "at_ms",
            "catalogue",
            "order_",
            "failures",
            "program",
            "queued",
            "oldest_ms",
            "parked",
            "disk_free",
            "clock_offset_ms",
            "devices",
        ],
    ),
    table(
        "blob_",
        &["envelope_id", "digest"],
        &["envelope_id", "digest", "length", "kind", "page", "arrived_at_ms"],
    ),
    table(
        "upload",
        &["id"],
        &["id", "envelope_id", "digest", "length", "terminal", "station", "state", "expires_at_ms"],
    ),
    table(
        "notification",
        &["envelope_id", "version"],
        &[
            "envelope_id",
            "version",
            "kind",
            "state",
            "tries",
            "queued_at_ms",
            "changed_at_ms",
            "next_ms",
            "gateway_id",
            "reason",
        ],
    ),
    table("withdrawn", &["item"], &["item", "reason", "since_ms", "actor"]),
    table("erasure", &["envelope_id"], &["envelope_id", "at_ms", "why", "done"]),
    table("legal_hold", &["envelope_id"], &["envelope_id", "reason", "since_ms", "actor"]),
    table("audit_head", &["epoch", "day_"], &["epoch", "day_", "seq", "document"]),
    table(
        "lost_submission",
        &["envelope_id"],
        &["envelope_id", "number", "terminal", "accepted_at_ms", "told_at_ms"],
    ),
    table("handoff", &["id"], &HANDOFF_COLUMNS),
    table(
        "handoff_step",
        &["handoff", "version"],
        &["handoff", "version", "side", "at_ms", "actor", "step", "message"],
    ),
    table(
        "partner_message",
        &["id"],
        &[
            "id",
            "handoff",
            "partner",
            "direction",
            "seq",
            "state",
            "digest",
            "document",
            "tries",
            "next_ms",
            "at_ms",
        ],
    ),
    table(
        "partner_form",
        &["partner", "item"],
        &["partner", "item", "catalogue_version", "digest", "document", "heard_at_ms"],
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::store::{Driver as _, fresh_in_memory};

    #[test]
    fn the_list_is_the_schema() {
        let mut db = fresh_in_memory().expect("fresh");
        let named = |rows: Vec<crate::store::Row>| -> BTreeSet<String> {
            rows.iter().map(|r| r.text(0).expect("a name").to_owned()).collect()
        };
        let sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'schema_version'";
        let there = named(db.query(sql, &[]).expect("names"));
        assert_eq!(there, TABLES.iter().map(|t| t.name.to_owned()).collect());
        for table in TABLES {
            let sql = format!("SELECT name FROM pragma_table_info('{}')", table.name);
            let columns = named(db.query(&sql, &[]).expect("columns"));
            assert_eq!(columns, table.columns.iter().map(|c| (*c).to_owned()).collect(), "{}", table.name);
            assert!(table.key.iter().all(|k| table.columns.contains(k)), "{}", table.name);
        }
    }
}
