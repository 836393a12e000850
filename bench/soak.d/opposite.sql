\set campaign random(1, 3)
\set step (1 - 2 * random(0, 1))
\set from random(0, 39)
BEGIN;
INSERT INTO leads (campaign_id, phone) VALUES (:campaign, number((:from + 40 + :step) % 40));
INSERT INTO leads (campaign_id, mobile) VALUES (:campaign, number((:from + 40 + 2 * :step) % 40));
INSERT INTO leads (campaign_id, phone) VALUES (1 + :campaign % 3, number((:from + 40 + 3 * :step) % 40));
INSERT INTO leads (campaign_id, phone) VALUES (:campaign, number((:from + 40 + 4 * :step) % 40));
COMMIT;
