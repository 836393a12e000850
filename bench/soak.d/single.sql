\set campaign random(1, 3)
\set one random(0, 39)
\set two random(0, 39)
INSERT INTO leads (campaign_id, phone, mobile) VALUES (:campaign, number(:one), number(:two));
