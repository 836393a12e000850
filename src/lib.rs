//! lead_phones: phone numbers for Postgres databases that call people.
//!
//! Data flows one way: text → [`phone`] → functions and triggers → tables → disqualification → reports.
//! The SQL objects are in `sql/install`; `install` has their order.

pub mod hashes;
pub mod keys;
pub mod phone;

#[cfg(feature = "extension")]
mod actions;
#[cfg(feature = "extension")]
mod backend;
#[cfg(feature = "extension")]
mod citus;
#[cfg(feature = "extension")]
mod ddl;
#[cfg(feature = "extension")]
mod functions;
#[cfg(feature = "extension")]
mod install;
#[cfg(feature = "extension")]
mod triggers;

/// Installs the hooks. In `shared_preload_libraries`, also loads the engine, once for all backends.
#[cfg(feature = "extension")]
#[pgrx::pg_guard]
pub extern "C-unwind" fn _PG_init() {
    without_backtraces();
    backend::bound::install();
    citus::install();
    triggers::install();
    actions::lead_tables::install();
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
