//! The vocabulary of the project and its rules: the front door of the repository.
//!
//! Everything here is pure. No file, socket, clock, thread or random source is touched: time and randomness
//! come in as arguments, so the same code runs on the terminal, on the server, in tests and in a simulator.
//!
//! | module | 中文 | what it holds |
//! |---|---|---|
//! | [`ids`], [`date`] | 编号 | identities and the case number that a terminal issues offline; civil dates |
//! | [`text`] | 词 | a text in Chinese and English |
//! | [`item`], [`bundle`], [`catalogue`] | 事项, 一件事, 目录 | what can be applied for, versioned as a whole |
//! | [`situation`] | 情形 | questions whose answers choose materials, fields and steps |
//! | [`form`] | 表单 | form schema, validation, and the render plan that a screen only draws |
//! | [`expr`] | 算式 | the one small expression type of rules and computed values |
//! | [`nearby`] | 附近网点 | other stations: how far on foot, what can be done there, open now |
//! | [`search`] | 搜索 | finding an item by characters, pinyin or initials |
//! | [`applicant`] | 申请人 | ID-number rules, the person on the card, masked and redacted printing |
//! | [`deadline`] | 时限 | working days by the calendar that central IT publishes; when a case's time ends, and what of it stood still |
//! | [`rules`] | 规则 | what a machine may approve by itself, names of companies; a refusal is a person's |
//! | [`money`] | 缴费 | bills, payments and refunds in whole fen: short, over, double and late, and sums that balance |
//! | [`case`] | 办件 | a case as a fold over append-only actions, and the four marks a citizen sees |
//! | [`handoff`] | 异地代收转办 | a matter that one region takes in and another decides, its two clocks |
//! | [`certificate`] | 证照 | what a granted step gives: signed data, a list of those revoked, checking both without a network |
//! | [`parcel`] | 送达件 | how a result reaches its holder: by post or at a window, with the whole life of the parcel |
//! | [`envelope`] | 信封 | sealing, digest, signature, slip and receipt: works on bytes, never sees the wire types |
//! | [`signs`], [`enrolment`] | 登记 | signs that people type; the code that enrols a terminal, and the centre's fingerprint |
//! | [`wire`] | 协议 | every type that crosses the network |
pub mod applicant;
pub mod bundle;
pub mod case;
pub mod catalogue;
pub mod certificate;
pub mod date;
pub mod deadline;
pub mod document;
pub mod enrolment;
pub mod envelope;
pub mod expr;
pub mod form;
pub mod handoff;
pub mod ids;
pub mod item;
pub mod money;
pub mod nearby;
pub mod parcel;
pub mod rules;
pub mod search;
pub mod signs;
pub mod situation;
pub mod text;
pub mod wire;
