//! What a tracked table is tracked by. The settings stand in the arguments of its triggers, as `name=value`.

use serde::Serialize;

/// What becomes of a value that is not a valid number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OnInvalid {
    /// It stays as it is, and is not counted.
    Keep,
    /// The column becomes NULL.
    Null,
    /// The statement fails.
    Reject,
}

/// When what a transaction has changed is written to the counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum CountAt {
    /// At its end, or before it reads the counts: it sees what it wrote.
    Read,
    /// At its end: it holds no rows of the counts before, and sees what others see.
    Commit,
}

/// The settings of one tracked table. Column names are the leads table's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Settings {
    pub(crate) campaign_column: String,
    pub(crate) phone_column: String,
    pub(crate) mobile_column: String,
    pub(crate) region: String,
    pub(crate) region_column: Option<String>,
    pub(crate) on_invalid: OnInvalid,
    pub(crate) count_at: CountAt,
    /// Schema of the counts and of the ledger.
    pub(crate) schema: String,
    pub(crate) counts: String,
    pub(crate) disqualifications: String,
    /// Whether the table belongs to the tracked one, as partition or by inheritance.
    pub(crate) member: bool,
}

impl Settings {
    /// Reads trigger arguments. Names that this version does not know are left to later ones.
    ///
    /// # Errors
    /// The name of a setting that is missing or has a value it cannot have.
    pub(crate) fn from_args(args: &[String]) -> Result<Self, &'static str> {
        let find = |name: &str| {
            args.iter()
                .filter_map(|arg| arg.split_once('='))
                .find(|(found, _)| *found == name)
                .map(|(_, value)| value.to_owned())
        };
        let required = |name: &'static str| find(name).ok_or(name);
        Ok(Self {
            campaign_column: required("campaign_column")?,
            phone_column: required("phone_column")?,
            mobile_column: required("mobile_column")?,
            region: required("region")?,
            region_column: find("region_column"),
            on_invalid: match required("on_invalid")?.as_str() {
                "keep" => OnInvalid::Keep,
                "null" => OnInvalid::Null,
                "reject" => OnInvalid::Reject,
                _ => return Err("on_invalid"),
            },
            count_at: match find("count_at").as_deref() {
                None | Some("read") => CountAt::Read,
                Some("commit") => CountAt::Commit,
                _ => return Err("count_at"),
            },
            schema: required("schema")?,
            counts: required("counts")?,
            disqualifications: required("disqualifications")?,
            member: find("member").as_deref() == Some("true"),
        })
    }
}
