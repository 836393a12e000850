\set again random(0, 1)
\if :again
SELECT FROM track_lead_phones('leads');
\else
SELECT rebuild_phone_counts('leads');
\endif
