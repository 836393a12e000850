//! What a tracked table is tracked by. The settings are in the arguments of its triggers, as `name=value`.

use serde::Serialize;

use super::columns::{MAX_COLUMNS, count_column};

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
    /// `None` where the whole table is one campaign.
    pub(crate) campaign_column: Option<String>,
    /// The columns of numbers: one to [`MAX_COLUMNS`](super::columns::MAX_COLUMNS).
    pub(crate) phone_columns: Vec<String>,
    /// The columns of the counts that count leads by column of numbers.
    #[serde(skip)]
    pub(crate) count_columns: Vec<String>,
    /// As the SQL of 0.2.0 asks for them.
    phone_column: String,
    mobile_column: Option<String>,
    pub(crate) region: String,
    pub(crate) region_column: Option<String>,
    /// Where the region column references another table: that table's column of regions.
    pub(crate) region_code: Option<String>,
    pub(crate) on_invalid: OnInvalid,
    /// Whether numbers are written into their own columns, and not beside them.
    pub(crate) in_place: bool,
    pub(crate) keep_extensions: bool,
    pub(crate) count_at: CountAt,
    /// Schema of the counts and of the ledgers.
    pub(crate) schema: String,
    pub(crate) counts: String,
    pub(crate) disqualifications: String,
    /// The ledger of numbers that are disqualified in every campaign: what was said of them, and the numbers.
    pub(crate) suppressions: String,
    pub(crate) suppressed: String,
    /// Whether these are named, and so must be there: 0.2.0 had none.
    #[serde(skip)]
    pub(crate) has_suppressions: bool,
    /// Whether the table belongs to the tracked one, as partition or by inheritance.
    pub(crate) member: bool,
}

impl Settings {
    /// Reads trigger arguments. Names that this version does not know are left to later ones.
    ///
    /// # Errors
    /// The name of a setting that is missing or has a value it cannot have.
    pub(crate) fn from_args(args: &[String]) -> Result<Self, &'static str> {
        let pairs: Vec<(&str, &str)> = args.iter().filter_map(|arg| arg.split_once('=')).collect();
        let named = |name: &'static str| {
            let found = pairs.iter().filter(move |(found, _)| *found == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let find = |name: &'static str| named(name).next();
        let required = |name: &'static str| find(name).ok_or(name);
        let flag =
            |name: &'static str, default: bool| find(name).map_or(default, |value| value == "true");
        // 0.2.0 named two columns, each by an argument of its own; its counts called them always the same.
        let phone_columns: Vec<String> = named("phone_column")
            .chain(named("mobile_column"))
            .collect();
        if !(1..=MAX_COLUMNS).contains(&phone_columns.len()) {
            return Err("phone_column");
        }
        let is_of_020 = find("mobile_column").is_some();
        Ok(Self {
            campaign_column: find("campaign_column"),
            phone_column: phone_columns[0].clone(),
            mobile_column: phone_columns.get(1).cloned(),
            count_columns: if is_of_020 {
                vec!["phone_count".into(), "mobile_count".into()]
            } else {
                phone_columns
                    .iter()
                    .map(|name| count_column(name))
                    .collect()
            },
            phone_columns,
            region: required("region")?,
            region_column: find("region_column"),
            region_code: find("region_code"),
            on_invalid: match required("on_invalid")?.as_str() {
                "keep" => OnInvalid::Keep,
                "null" => OnInvalid::Null,
                "reject" => OnInvalid::Reject,
                _ => return Err("on_invalid"),
            },
            in_place: flag("in_place", true),
            keep_extensions: flag("keep_extensions", false),
            count_at: match find("count_at").as_deref() {
                None | Some("read") => CountAt::Read,
                Some("commit") => CountAt::Commit,
                _ => return Err("count_at"),
            },
            schema: required("schema")?,
            counts: required("counts")?,
            disqualifications: required("disqualifications")?,
            has_suppressions: find("suppressions").is_some(),
            suppressions: find("suppressions").unwrap_or_else(|| "phone_suppressions".into()),
            suppressed: find("suppressed").unwrap_or_else(|| "suppressed_phones".into()),
            member: flag("member", false),
        })
    }
}
