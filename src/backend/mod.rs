//! What everything else uses of Postgres: SQL, owners, errors, texts, and the state of the backend.

pub(crate) mod bound;
pub(crate) mod list;
pub(crate) mod owner;
pub(crate) mod report;
pub(crate) mod restore;
pub(crate) mod server;
pub(crate) mod sql;
pub(crate) mod subtransaction;
pub(crate) mod text;
