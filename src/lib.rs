//! lead_phones: phone numbers for Postgres databases that call people.
//!
//! Data flows one way: text → [`phone`] → functions and triggers → tables → disqualification → reports.
//! The SQL parts stand in `sql/install`, in the order in which they are installed below.

pub mod hashes;
pub mod keys;
pub mod phone;

#[cfg(feature = "extension")]
mod action;
#[cfg(feature = "extension")]
mod bound;
#[cfg(feature = "extension")]
mod citus;
#[cfg(feature = "extension")]
mod ddl;
#[cfg(feature = "extension")]
mod functions;
#[cfg(feature = "extension")]
mod hours;
#[cfg(feature = "extension")]
mod lead_tables;
#[cfg(feature = "extension")]
mod list;
#[cfg(feature = "extension")]
mod owner;
#[cfg(feature = "extension")]
mod procedures;
#[cfg(feature = "extension")]
mod reasons;
#[cfg(feature = "extension")]
mod report;
#[cfg(feature = "extension")]
mod reports;
#[cfg(feature = "extension")]
mod restore;
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
        "../sql/install/12_call_tables.sql",
        name = "call_tables",
        requires = ["suppression"]
    );
    pgrx::extension_sql_file!(
        "../sql/install/13_calls.sql",
        name = "calls",
        requires = ["call_tables"]
    );
    pgrx::extension_sql_file!(
        "../sql/install/14_next_leads.sql",
        name = "next_leads",
        requires = ["calls"]
    );
    pgrx::extension_sql_file!(
        "../sql/install/15_reports.sql",
        name = "reports",
        requires = ["next_leads"]
    );
    pgrx::extension_sql_file!(
        "../sql/install/16_ddl.sql",
        name = "ddl",
        requires = ["reports"]
    );
    pgrx::extension_sql_file!(
        "../sql/install/17_grants.sql",
        name = "grants",
        requires = ["ddl"]
    );
}

/// Installs the hooks. In `shared_preload_libraries`, also loads the engine, once for all backends.
#[cfg(feature = "extension")]
#[pgrx::pg_guard]
pub extern "C-unwind" fn _PG_init() {
    without_backtraces();
    bound::install();
    citus::install();
    triggers::install();
    lead_tables::install();
    ddl::install();
    // SAFETY: the postmaster sets the flag before and after it loads libraries.
    if unsafe { pgrx::pg_sys::process_shared_preload_libraries_in_progress } {
        phone::load_engine();
    }
}

/// pgrx adds a backtrace to the DETAIL of an error where the server was started with RUST_BACKTRACE, which no user asked for. What
/// this library's copy of std reads at the first backtrace holds from then on; the environment is left as it was.
#[cfg(feature = "extension")]
fn without_backtraces() {
    const VARIABLE: &str = "RUST_LIB_BACKTRACE";
    let before = std::env::var_os(VARIABLE);
    // SAFETY: a backend, and the postmaster as it loads libraries, has one thread.
    unsafe {
        std::env::set_var(VARIABLE, "0");
        let _ = std::backtrace::Backtrace::capture();
        match before {
            Some(before) => std::env::set_var(VARIABLE, before),
            None => std::env::remove_var(VARIABLE),
        }
    }
}
