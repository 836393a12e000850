//! lead_phones: phone numbers for Postgres databases that call people.
//!
//! Data flows one way: text → [`phone`] → functions and triggers → tables → disqualification → reports.
//! The SQL parts stand in `sql/install`, in the order in which they are installed below.

pub mod keys;
pub mod phone;

#[cfg(feature = "extension")]
mod action;
#[cfg(feature = "extension")]
mod functions;
#[cfg(feature = "extension")]
mod owner;
#[cfg(feature = "extension")]
mod partitions;
#[cfg(feature = "extension")]
mod reasons;
#[cfg(feature = "extension")]
mod report;
#[cfg(feature = "extension")]
mod server;
#[cfg(feature = "extension")]
mod sql;
#[cfg(feature = "extension")]
mod subtransaction;
#[cfg(feature = "extension")]
mod text;
#[cfg(feature = "extension")]
mod triggers;

#[cfg(feature = "extension")]
mod install {
    pgrx::pg_module_magic!(name, version);

    pgrx::extension_sql_file!("../sql/install/1_numbers.sql", name = "numbers");
    pgrx::extension_sql_file!(
        "../sql/install/2_tracking.sql",
        name = "tracking",
        requires = ["numbers"]
    );
    pgrx::extension_sql_file!(
        "../sql/install/3_counts.sql",
        name = "counts",
        requires = ["tracking"]
    );
    pgrx::extension_sql_file!(
        "../sql/install/4_disqualification.sql",
        name = "disqualification",
        requires = ["counts"]
    );
    pgrx::extension_sql_file!(
        "../sql/install/5_partitions.sql",
        name = "partitions",
        requires = ["disqualification"]
    );
    pgrx::extension_sql_file!(
        "../sql/install/6_citus.sql",
        name = "citus",
        requires = ["partitions"]
    );
    pgrx::extension_sql_file!(
        "../sql/install/7_backfill.sql",
        name = "backfill",
        requires = ["citus"]
    );
    pgrx::extension_sql_file!(
        "../sql/install/8_lead_tables.sql",
        name = "lead_tables",
        requires = ["backfill"]
    );
    pgrx::extension_sql_file!(
        "../sql/install/9_split.sql",
        name = "split",
        requires = ["lead_tables"]
    );
    pgrx::extension_sql_file!(
        "../sql/install/10_upload.sql",
        name = "upload",
        requires = ["split"]
    );
    pgrx::extension_sql_file!(
        "../sql/install/11_suppression.sql",
        name = "suppression",
        requires = ["upload"]
    );
    pgrx::extension_sql_file!(
        "../sql/install/12_reports.sql",
        name = "reports",
        requires = ["suppression"]
    );
    pgrx::extension_sql_file!(
        "../sql/install/13_grants.sql",
        name = "grants",
        requires = ["reports"]
    );
}

/// Installs the hooks. In `shared_preload_libraries`, also loads the engine, once for all backends.
#[cfg(feature = "extension")]
#[pgrx::pg_guard]
pub extern "C-unwind" fn _PG_init() {
    triggers::pending::install();
    // SAFETY: the postmaster sets the flag before and after it loads libraries.
    if unsafe { pgrx::pg_sys::process_shared_preload_libraries_in_progress } {
        phone::load_engine();
    }
}
