//! Phone numbers in pure Rust: no Postgres below this line.
//!
//! Text and a default region go in; an [`E164`] number or a [`Problem`] comes out, as Google's libphonenumber
//! answers it. The rest of the crate asks here and nowhere else.
//!
//! *Valid* means what libphonenumber's `isValidNumber` means, plus one rule of ITU-T E.164 (11/2010, 6.2.1): a number
//! has at most fifteen digits.

mod describe;
#[cfg(test)]
mod differential;
mod e164;
mod engine;
mod kind;
mod normalize;
mod plan;
mod problem;
mod region;
mod spelling;
mod states;
mod time_zones;

pub use describe::{Description, Style, describe, extension, format, kind_of, region_of};
pub use e164::E164;
pub use engine::load_engine;
pub use normalize::{normalize, normalize_ascii};
pub use problem::Problem;
pub use region::DefaultRegion;
pub use states::{state_code, state_of, zones_of_state};
pub use time_zones::time_zones_of;

/// The release of Google's libphonenumber that the metadata was taken from.
pub const METADATA_VERSION: &str = "9.0.43";
