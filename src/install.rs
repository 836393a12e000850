//! The SQL objects, in the order in which they are installed: those of a room after what they are built on.

pgrx::pg_module_magic!(name, version);

pgrx::extension_sql_file!(
    "../sql/install/numbers/numbers.sql",
    name = "numbers_numbers"
);
pgrx::extension_sql_file!(
    "../sql/install/tracking/triggers.sql",
    name = "tracking_triggers",
    requires = ["numbers_numbers"]
);
pgrx::extension_sql_file!(
    "../sql/install/tracking/shape.sql",
    name = "tracking_shape",
    requires = ["tracking_triggers"]
);
pgrx::extension_sql_file!(
    "../sql/install/tracking/checks.sql",
    name = "tracking_checks",
    requires = ["tracking_shape"]
);
pgrx::extension_sql_file!(
    "../sql/install/tracking/tables.sql",
    name = "tracking_tables",
    requires = ["tracking_checks"]
);
pgrx::extension_sql_file!(
    "../sql/install/tracking/triggers_and_indexes.sql",
    name = "tracking_triggers_and_indexes",
    requires = ["tracking_tables"]
);
pgrx::extension_sql_file!(
    "../sql/install/tracking/columns.sql",
    name = "tracking_columns",
    requires = ["tracking_triggers_and_indexes"]
);
pgrx::extension_sql_file!(
    "../sql/install/tracking/settings.sql",
    name = "tracking_settings",
    requires = ["tracking_columns"]
);
pgrx::extension_sql_file!(
    "../sql/install/tracking/track.sql",
    name = "tracking_track",
    requires = ["tracking_settings"]
);
pgrx::extension_sql_file!(
    "../sql/install/counts/rows.sql",
    name = "counts_rows",
    requires = ["tracking_track"]
);
pgrx::extension_sql_file!(
    "../sql/install/counts/rebuild.sql",
    name = "counts_rebuild",
    requires = ["counts_rows"]
);
pgrx::extension_sql_file!(
    "../sql/install/counts/backfill.sql",
    name = "counts_backfill",
    requires = ["counts_rebuild"]
);
pgrx::extension_sql_file!(
    "../sql/install/disqualification/callers.sql",
    name = "disqualification_callers",
    requires = ["counts_backfill"]
);
pgrx::extension_sql_file!(
    "../sql/install/disqualification/campaigns.sql",
    name = "disqualification_campaigns",
    requires = ["disqualification_callers"]
);
pgrx::extension_sql_file!(
    "../sql/install/disqualification/marks.sql",
    name = "disqualification_marks",
    requires = ["disqualification_campaigns"]
);
pgrx::extension_sql_file!(
    "../sql/install/disqualification/spellings.sql",
    name = "disqualification_spellings",
    requires = ["disqualification_marks"]
);
pgrx::extension_sql_file!(
    "../sql/install/disqualification/everywhere.sql",
    name = "disqualification_everywhere",
    requires = ["disqualification_spellings"]
);
pgrx::extension_sql_file!(
    "../sql/install/disqualification/actions.sql",
    name = "disqualification_actions",
    requires = ["disqualification_everywhere"]
);
pgrx::extension_sql_file!(
    "../sql/install/disqualification/procedures.sql",
    name = "disqualification_procedures",
    requires = ["disqualification_actions"]
);
pgrx::extension_sql_file!(
    "../sql/install/ddl/partitions.sql",
    name = "ddl_partitions",
    requires = ["disqualification_procedures"]
);
pgrx::extension_sql_file!(
    "../sql/install/citus/tracked_tables.sql",
    name = "citus_tracked_tables",
    requires = ["ddl_partitions"]
);
pgrx::extension_sql_file!(
    "../sql/install/citus/lead_tables.sql",
    name = "citus_lead_tables",
    requires = ["citus_tracked_tables"]
);
pgrx::extension_sql_file!(
    "../sql/install/lead_tables/identities.sql",
    name = "lead_tables_identities",
    requires = ["citus_lead_tables"]
);
pgrx::extension_sql_file!(
    "../sql/install/lead_tables/triggers.sql",
    name = "lead_tables_triggers",
    requires = ["lead_tables_identities"]
);
pgrx::extension_sql_file!(
    "../sql/install/lead_tables/schema.sql",
    name = "lead_tables_schema",
    requires = ["lead_tables_triggers"]
);
pgrx::extension_sql_file!(
    "../sql/install/lead_tables/tables.sql",
    name = "lead_tables_tables",
    requires = ["lead_tables_schema"]
);
pgrx::extension_sql_file!(
    "../sql/install/lead_tables/views.sql",
    name = "lead_tables_views",
    requires = ["lead_tables_tables"]
);
pgrx::extension_sql_file!(
    "../sql/install/lead_tables/status.sql",
    name = "lead_tables_status",
    requires = ["lead_tables_views"]
);
pgrx::extension_sql_file!(
    "../sql/install/lead_tables/split.sql",
    name = "lead_tables_split",
    requires = ["lead_tables_status"]
);
pgrx::extension_sql_file!(
    "../sql/install/uploads/staging.sql",
    name = "uploads_staging",
    requires = ["lead_tables_split"]
);
pgrx::extension_sql_file!(
    "../sql/install/uploads/rows.sql",
    name = "uploads_rows",
    requires = ["uploads_staging"]
);
pgrx::extension_sql_file!(
    "../sql/install/uploads/people.sql",
    name = "uploads_people",
    requires = ["uploads_rows"]
);
pgrx::extension_sql_file!(
    "../sql/install/uploads/upload.sql",
    name = "uploads_upload",
    requires = ["uploads_people"]
);
pgrx::extension_sql_file!(
    "../sql/install/suppression/ledger.sql",
    name = "suppression_ledger",
    requires = ["uploads_upload"]
);
pgrx::extension_sql_file!(
    "../sql/install/suppression/suppress.sql",
    name = "suppression_suppress",
    requires = ["suppression_ledger"]
);
pgrx::extension_sql_file!(
    "../sql/install/suppression/keep_out.sql",
    name = "suppression_keep_out",
    requires = ["suppression_suppress"]
);
pgrx::extension_sql_file!(
    "../sql/install/suppression/sync.sql",
    name = "suppression_sync",
    requires = ["suppression_keep_out"]
);
pgrx::extension_sql_file!(
    "../sql/install/suppression/lists.sql",
    name = "suppression_lists",
    requires = ["suppression_sync"]
);
pgrx::extension_sql_file!(
    "../sql/install/suppression/procedures.sql",
    name = "suppression_procedures",
    requires = ["suppression_lists"]
);
pgrx::extension_sql_file!(
    "../sql/install/calls/tables.sql",
    name = "calls_tables",
    requires = ["suppression_procedures"]
);
pgrx::extension_sql_file!(
    "../sql/install/calls/refusals.sql",
    name = "calls_refusals",
    requires = ["calls_tables"]
);
pgrx::extension_sql_file!(
    "../sql/install/calls/gate.sql",
    name = "calls_gate",
    requires = ["calls_refusals"]
);
pgrx::extension_sql_file!(
    "../sql/install/calls/outcomes.sql",
    name = "calls_outcomes",
    requires = ["calls_gate"]
);
pgrx::extension_sql_file!(
    "../sql/install/calls/procedures.sql",
    name = "calls_procedures",
    requires = ["calls_outcomes"]
);
pgrx::extension_sql_file!(
    "../sql/install/calls/next_leads.sql",
    name = "calls_next_leads",
    requires = ["calls_procedures"]
);
pgrx::extension_sql_file!(
    "../sql/install/reports/reports.sql",
    name = "reports_reports",
    requires = ["calls_next_leads"]
);
pgrx::extension_sql_file!(
    "../sql/install/ddl/changes.sql",
    name = "ddl_changes",
    requires = ["reports_reports"]
);
pgrx::extension_sql_file!(
    "../sql/install/ddl/events.sql",
    name = "ddl_events",
    requires = ["ddl_changes"]
);
pgrx::extension_sql_file!(
    "../sql/install/grants.sql",
    name = "grants",
    requires = ["ddl_events"]
);
