\set one random(0, 39)
\set lift random(0, 1)
\if :lift
CALL requalify_phone(NULL, number(:one));
\else
CALL disqualify_phone(NULL, number(:one), 'soak');
\endif
