\set campaign random(1, 3)
\set from random(0, 39)
INSERT INTO leads (campaign_id, phone, mobile) SELECT :campaign, number((:from + n * 11) % 40), number(n % 40) FROM generate_series(1, 50) AS n;
