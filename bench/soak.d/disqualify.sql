\set campaign random(1, 3)
\set one random(0, 39)
\set lift random(0, 1)
\if :lift
CALL requalify_phone(:campaign, number(:one));
\else
CALL disqualify_phone(:campaign, number(:one), 'soak');
\endif
