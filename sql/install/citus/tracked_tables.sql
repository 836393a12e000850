-- Citus: tracked tables that are distributed by campaign; docs/scale-out.md. Without Citus nothing here does anything.

CREATE FUNCTION @extschema@.lead_phones_is_local() RETURNS boolean
    STABLE LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_is_local_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_is_local() IS
    'internal: whether statements are planned for the shards of this node, and see no distributed table';

CREATE FUNCTION @extschema@.lead_phones_is_elsewhere(leads regclass) RETURNS boolean
    STABLE STRICT LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_is_elsewhere_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_is_elsewhere(regclass) IS
    'internal: whether lead tables are on another node of Citus';

CREATE FUNCTION @extschema@.lead_phones_is_distributed(leads regclass) RETURNS boolean
    STABLE LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_is_distributed_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_is_distributed(regclass) IS 'internal: whether Citus distributes a table';

CREATE FUNCTION @extschema@.lead_phones_is_sent() RETURNS boolean
    STABLE LANGUAGE c AS 'MODULE_PATHNAME', 'lead_phones_is_sent_wrapper';
COMMENT ON FUNCTION @extschema@.lead_phones_is_sent() IS 'internal: whether Citus sent what runs from another node';

CREATE FUNCTION @extschema@.lead_phones_is_shard(relation regclass) RETURNS boolean
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    is_shard boolean;
BEGIN
    IF to_regclass('pg_catalog.pg_dist_partition') IS NULL THEN
        RETURN false;
    END IF;
    EXECUTE 'SELECT pg_catalog.relation_is_a_known_shard($1)' INTO is_shard USING relation;
    RETURN is_shard;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_is_shard(regclass) IS 'internal: whether a table is a shard of Citus';

CREATE FUNCTION @extschema@.lead_phones_is_local_part(relation regclass) RETURNS boolean
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    -- truncate_local_data_after_distributing_table() switches propagation off while it truncates.
    RETURN @extschema@.lead_phones_is_shard(relation)
        OR @extschema@.lead_phones_is_distributed(relation) AND NOT current_setting('citus.enable_ddl_propagation')::boolean;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_is_local_part(regclass) IS
    'internal: whether what is truncated is a shard, or what distributing a table has left on the coordinator: not the table itself';

CREATE FUNCTION @extschema@.lead_phones_allow_triggers(leads regclass) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF @extschema@.lead_phones_is_distributed(leads) THEN
        PERFORM set_config('citus.enable_unsafe_triggers', 'on', true);
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_allow_triggers(regclass) IS
    'internal: lets Citus create and drop triggers of a distributed table in this transaction';

CREATE FUNCTION @extschema@.lead_phones_check_citus(leads regclass, campaign_column name) RETURNS void
    STABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    table_type text;
    distribution_column text;
    node_group integer;
BEGIN
    IF @extschema@.lead_phones_is_shard(leads) THEN
        RAISE EXCEPTION 'cannot track "%": it is a shard', leads
            USING ERRCODE = 'wrong_object_type',
                  DETAIL = 'Citus keeps the triggers of shards in line with those of their distributed table.',
                  HINT = 'Track the distributed table, on the coordinator.';
    END IF;
    IF NOT @extschema@.lead_phones_is_distributed(leads) THEN
        RETURN;
    END IF;
    EXECUTE 'SELECT CASE WHEN p.partmethod = ''h'' THEN ''hash'' WHEN p.partmethod = ''n'' AND p.repmodel = ''t'' THEN ''reference''
                         WHEN p.partmethod = ''n'' THEN ''single shard'' ELSE ''other'' END,
                    CASE WHEN p.partkey IS NOT NULL THEN pg_catalog.column_to_column_name(p.logicalrelid, p.partkey) END
               FROM pg_catalog.pg_dist_partition AS p WHERE p.logicalrelid = $1'
       INTO table_type, distribution_column USING leads;
    EXECUTE 'SELECT g.groupid FROM pg_catalog.pg_dist_local_group AS g' INTO node_group;
    IF node_group <> 0 THEN
        RAISE EXCEPTION 'cannot track distributed table "%" on a worker', leads
            USING ERRCODE = 'feature_not_supported',
                  DETAIL = 'The coordinator creates the triggers of all nodes.',
                  HINT = 'Run track_lead_phones() on the coordinator.';
    END IF;
    IF table_type NOT IN ('hash', 'single shard') OR campaign_column IS NULL OR table_type = 'hash' AND distribution_column <> campaign_column THEN
        RAISE EXCEPTION 'cannot track "%": Citus does not distribute it by its campaign column', leads
            USING ERRCODE = 'feature_not_supported',
                  DETAIL = CASE table_type WHEN 'hash' THEN format('It is distributed by column %I.', distribution_column)
                      WHEN 'reference' THEN 'It is a reference table.' ELSE 'It is not distributed by hash.' END,
                  HINT = CASE WHEN campaign_column IS NULL THEN 'Track it by a column of campaigns: counts and leads of a campaign must be on one node.'
                      ELSE format('Distribute it with create_distributed_table(%L, %L): counts and leads of a campaign must be on one node.',
                          leads, campaign_column) END;
    END IF;
    IF EXISTS (SELECT FROM pg_catalog.pg_inherits AS i WHERE leads IN (i.inhparent, i.inhrelid)) THEN
        RAISE EXCEPTION 'cannot track "%": it is distributed and has partitions', leads
            USING ERRCODE = 'feature_not_supported',
                  DETAIL = 'On a worker a shard of a partition is not known to belong to the shard above it.',
                  HINT = 'Distribute a table without partitions.';
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_check_citus(regclass, name) IS
    'internal: an error where Citus distributes a table in a way that cannot be tracked';

CREATE FUNCTION @extschema@.lead_phones_count_shard(leads regclass, arguments jsonb) RETURNS jsonb
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET row_security = off
AS $function$
DECLARE
    tracked @extschema@.lead_phone_tables;
    numbers jsonb;
BEGIN
    -- Citus gives the triggers of shards new names; the settings are the same.
    SELECT t.* INTO tracked FROM pg_catalog.pg_trigger AS g
     CROSS JOIN LATERAL @extschema@.lead_phones_tracked_by(g.tgrelid::regclass, @extschema@.lead_phones_settings(g.tgargs)) AS t
     WHERE g.tgrelid = lead_phones_count_shard.leads AND g.tgfoid = '@extschema@.lead_phones_count()'::regprocedure LIMIT 1;
    -- What is counted is written, whatever the counts said: their rows may have come along. One campaign a statement, which goes to one
    -- shard, and no more of it than a jsonb can hold.
    FOR numbers IN EXECUTE format('SELECT jsonb_agg(to_jsonb(r)) FROM (SELECT q.*, row_number() OVER (PARTITION BY q.campaign) / 100000 AS part FROM (%s) AS q) AS r
             GROUP BY r.campaign, r.part', @extschema@.lead_phones_recount_query(tracked, leads::text)) LOOP
        EXECUTE format($dml$
            INSERT INTO %1$s AS c (%2$s, lead_count, %3$s)
            SELECT %8$s, r.lead_count, %4$s FROM jsonb_to_recordset($1) AS r (campaign %5$s, phone @extschema@.e164, lead_count bigint, %6$s)
            ON CONFLICT (%2$s) DO UPDATE SET lead_count = EXCLUDED.lead_count, %7$s$dml$,
            tracked.counts, @extschema@.lead_phones_key(tracked), @extschema@.lead_phones_each(tracked, '%3$I', ', '),
            @extschema@.lead_phones_each(tracked, 'r.count%5$s', ', '),
            coalesce((SELECT format_type(a.atttypid, a.atttypmod) FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = tracked.leads AND a.attname = tracked.campaign_column), 'boolean'),
            @extschema@.lead_phones_each(tracked, 'count%5$s bigint', ', '), @extschema@.lead_phones_each(tracked, '%3$I = EXCLUDED.%3$I', ', '),
            @extschema@.lead_phones_with_campaign(tracked, 'r.campaign', 'r.phone')) USING numbers;
    END LOOP;
    RETURN '{}';
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_count_shard(regclass, jsonb) IS
    'internal: counts a shard that Citus fills as it distributes a table, whose counts may have come along';

CREATE FUNCTION @extschema@.lead_phones_colocate(leads regclass, beside regclass, campaign_column name) RETURNS void
    VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    same boolean;
BEGIN
    IF NOT @extschema@.lead_phones_is_distributed(leads) THEN
        RETURN;
    END IF;
    IF NOT @extschema@.lead_phones_is_distributed(beside) THEN
        -- beside a table of one shard, and in a schema that is distributed as a whole, there is no column
        EXECUTE 'SELECT pg_catalog.create_distributed_table($1, CASE WHEN p.partkey IS NOT NULL THEN $2 END, colocate_with => $3)
                   FROM pg_catalog.pg_dist_partition AS p WHERE p.logicalrelid = $4'
          USING beside, campaign_column::text, leads::text, leads;
    END IF;
    EXECUTE 'SELECT l.colocationid = b.colocationid FROM pg_catalog.pg_dist_partition AS l, pg_catalog.pg_dist_partition AS b
              WHERE l.logicalrelid = $1 AND b.logicalrelid = $2' INTO same USING leads, beside;
    IF NOT same THEN
        RAISE EXCEPTION 'tables "%" and "%" are not colocated', leads, beside
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'Counts and leads of a campaign must be on one node.',
                  HINT = format('Run undistribute_table(%L), then create_distributed_table(%1$L, %L, colocate_with => %L).',
                      beside, campaign_column, leads);
    END IF;
END
$function$;
COMMENT ON FUNCTION @extschema@.lead_phones_colocate(regclass, regclass, name) IS
    'internal: distributes the counts or the ledger as Citus distributes the leads';
