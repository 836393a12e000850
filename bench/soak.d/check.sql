\pset footer off
SELECT (SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()) AS deadlocks,
       (SELECT count(*) FROM verify_phone_counts('leads')) AS "wrong counts",
       (SELECT count(*) FROM leads AS l JOIN campaign_phone_counts AS c USING (campaign_id)
         WHERE l.phone = c.phone AND l.phone_disqualified <> c.disqualified
            OR l.mobile = c.phone AND l.mobile_disqualified <> c.disqualified) AS "wrong marks",
       (SELECT count(*) FROM leads) AS leads,
       (SELECT count(*) FROM campaign_phone_disqualifications) AS "ledger entries";
DO $$
BEGIN
    IF (SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()) > 0
        OR EXISTS (SELECT FROM verify_phone_counts('leads')) THEN
        RAISE EXCEPTION 'deadlocks, or counts that differ';
    END IF;
END $$;
